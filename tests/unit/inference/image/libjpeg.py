"""What libjpeg itself says of a file: the library inside Pillow's wheel, driven with its trace switched on.

The traces come from a process of its own, which forks for each file: libjpeg's way of ending at an error may
not return.
"""

import ctypes
import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import PIL

LIBRARIES = Path(PIL.__file__).parent.parent / "pillow.libs"
API = 62
LARGEST_STRUCT, ERROR_STRUCT = 4096, 512
# Fields of jpeg_error_mgr, by jpeglib.h, on machines of 64 bits.
ERROR_EXIT, EMIT_MESSAGE, FORMAT_MESSAGE = 0, 8, 24
LEVEL = 1  # from the segments' own messages down to warnings (-1)
MESSAGE_BYTES = 200


def library() -> Path | None:
    """Pillow's libjpeg, where it comes as a file of its own (wheels for Linux)."""
    return next(iter(LIBRARIES.glob("libjpeg-*.so*")), None)


class Tracer:
    """A process that traces the reading of one file after another."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.inference.image.libjpeg"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def trace(self, data: bytes) -> list[str]:
        """All messages of levels up to LEVEL; an error is the last one, with "error: " before it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(struct.pack("<I", len(data)) + data)
        self._process.stdin.flush()
        messages: list[str] = json.loads(self._process.stdout.readline())
        return messages

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(10)


def main() -> None:
    """Trace files from standard input, each after its length; a line of JSON for each."""
    lib = ctypes.CDLL(str(library()))
    size = struct_bytes(lib)
    while head := sys.stdin.buffer.read(4):
        data = sys.stdin.buffer.read(*struct.unpack("<I", head))
        sys.stdout.write(json.dumps(_forked(partial(_read, lib, size, data))) + "\n")
        sys.stdout.flush()


Say = Callable[[str], None]


def _forked(work: Callable[[Say], None]) -> list[str]:
    """What `work` says, until it ends or its process is ended."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(writing, "w") as pipe:
            work(lambda text: print(text, file=pipe, flush=True))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        lines = pipe.read().splitlines()
    os.waitpid(child, 0)
    return lines


def struct_bytes(lib: ctypes.CDLL) -> int:
    """The size of jpeg_decompress_struct, which the library tells whoever gets it wrong."""
    (message,) = _forked(lambda say: _read(lib, 1, b"", say))
    found = re.search(r"library thinks size is (\d+)", message)
    assert found, message
    return int(found[1])


def _read(lib: ctypes.CDLL, size: int, data: bytes, say: Say) -> None:
    """Read a file to its end, every coefficient of it."""
    errors, reader = ctypes.create_string_buffer(ERROR_STRUCT), ctypes.create_string_buffer(LARGEST_STRUCT)
    lib.jpeg_std_error.restype = ctypes.c_void_p
    ctypes.c_void_p.from_buffer(reader).value = lib.jpeg_std_error(errors)
    formats = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
    describe = formats.from_buffer(errors, FORMAT_MESSAGE)

    def text(common: int) -> str:
        message = ctypes.create_string_buffer(MESSAGE_BYTES)
        describe(common, message)
        return message.value.decode()

    def emit(common: int, level: int) -> None:
        if level <= LEVEL:
            say(("warning: " if level < 0 else "") + text(common).strip())

    def leave(common: int) -> None:
        say(f"error: {text(common)}")
        os._exit(1)

    emitting = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)(emit)
    leaving = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(leave)
    for at, callback in ((EMIT_MESSAGE, emitting), (ERROR_EXIT, leaving)):
        struct.pack_into("<Q", errors, at, ctypes.cast(callback, ctypes.c_void_p).value or 0)
    lib.jpeg_CreateDecompress(reader, API, ctypes.c_size_t(size))
    lib.jpeg_mem_src(reader, data, ctypes.c_ulong(len(data)))
    lib.jpeg_read_header(reader, 1)
    lib.jpeg_read_coefficients.restype = ctypes.c_void_p
    lib.jpeg_read_coefficients(reader)


if __name__ == "__main__":
    main()
