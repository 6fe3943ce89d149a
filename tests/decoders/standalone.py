"""A small service in a process of its own: reads a line, decodes what it names, prints what came of it.

    python -m tests.decoders.standalone [LIMITS] [without-prctl]

Its decoders are forked, as the adapters' are; with `without-prctl` the kernel refuses prctl(2), as it does on
AWS Lambda.
"""

import ctypes
import json
import logging
import platform
import signal
import struct
import sys

from image_similarity.inference.decoders import nursery, processes, seccomp
from image_similarity.inference.decoders.limits import Limits


def refuse_prctl() -> None:
    """From here on prctl(2) fails with EPERM."""
    number = {"x86_64": 157, "aarch64": 167}[platform.machine()]
    lines = [(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, seccomp.REFUSE), (0x06, 0, 0, seccomp.ALLOW)]
    code = b"".join(struct.pack("=HBBI", *line) for line in lines)
    instructions = ctypes.create_string_buffer(code, len(code))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(lines), ctypes.addressof(instructions)))
    prctl = ctypes.CDLL(None).prctl
    assert prctl(38, ctypes.c_ulong(1), 0, 0, 0) == 0
    assert prctl(22, ctypes.c_ulong(2), ctypes.c_ulong(ctypes.addressof(header)), 0, 0) == 0


def main(limits: str, *without: str) -> None:
    if without:
        refuse_prctl()
    nursery.CLOSE_SECONDS = 60.0  # a busy machine is slow
    signal.signal(signal.SIGPROF, signal.SIG_IGN)  # as a careless starter may leave it
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPROF})
    decoder = processes.start(Limits.from_json(limits))
    assert isinstance(decoder, processes.DecoderProcesses)
    assert decoder.nursery.forked
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    from image_similarity.inference.errors import ApiError
    from image_similarity.inference.manifest import Preprocessing
    from tests.support.files import saved
    from tests.unit.inference.image.test_refusals import PHOTO

    good, preprocessing = saved(PHOTO, "JPEG"), Preprocessing(size=224)
    for line in sys.stdin:
        data = good if line.strip() == "good" else f"do: {line.strip()}".encode()
        print(json.dumps({"begun": line.strip()}), flush=True)
        try:
            pixels = decoder.decode(data, preprocessing=preprocessing)
            print(json.dumps({"sum": int(pixels.sum())}), flush=True)
        except ApiError as error:
            print(json.dumps({"code": error.code, "message": error.message}), flush=True)
    assert "multiprocessing" not in sys.modules
    assert "torch" not in sys.modules


if __name__ == "__main__":
    main(*sys.argv[1:])
