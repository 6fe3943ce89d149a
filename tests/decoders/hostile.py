"""What a codec that was broken, or taken over, might do in a decoder. Each is named by the file's bytes.

Anything else is decoded as ever, so that one set of decoders shows that the next request is right.
"""

import collections
import ctypes
import io
import itertools
import os
import signal
import socket
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import JpegImagePlugin

from image_similarity.inference import image
from image_similarity.inference.decoders import framing, worker
from image_similarity.inference.decoders.limits import MEBIBYTE, Limits
from image_similarity.inference.errors import InvalidImage
from image_similarity.inference.manifest import Preprocessing

PAST_OUR_CLEANING = b"straight to libjpeg: "
libc = ctypes.CDLL(None, use_errno=True)
kept: list[object] = []


def hostile(**changes: object) -> Limits:
    """Limits whose decoders obey this module; their clock is patient, for a busy machine stretches it."""
    return Limits(function=f"{__name__}:decode", **{"clock_seconds": 120.0, **changes})  # type: ignore[arg-type]


def decode(data: bytes, *, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    if data.startswith(PAST_OUR_CLEANING):
        JpegImagePlugin.JpegImageFile(io.BytesIO(data[len(PAST_OUR_CLEANING) :])).load()
        return np.zeros((preprocessing.size, preprocessing.size, 3), np.uint8)
    if data.startswith(b"do: "):
        outcome = DEEDS[data[4:].decode()]()
        raise InvalidImage(str(outcome))
    return image.decode(data, preprocessing=preprocessing)


def loop_in_python() -> None:
    while True:
        pass


def loop_in_c() -> None:
    collections.deque(itertools.repeat(0), maxlen=0)


def loop_without_a_timer() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    loop_in_c()


def work_for_half_a_second() -> None:
    end = time.process_time() + 0.5
    while time.process_time() < end:
        pass


def wait_for_a_moment() -> None:
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass


def wait_for_ever() -> None:
    os.read(worker.REQUESTS, 1)


def eat_memory_in_python() -> None:
    while True:
        kept.append(bytearray(MEBIBYTE))


def eat_memory_in_c() -> None:
    libc.malloc.restype = ctypes.c_void_p
    while address := libc.malloc(MEBIBYTE):
        ctypes.memset(address, 1, MEBIBYTE)
    ctypes.memset(address, 1, MEBIBYTE)  # as a codec that does not look


def run_out_of_memory_in_pillow() -> None:
    raise InvalidImage("broken.") from OSError("out of memory when reading image file")


def crash() -> None:
    ctypes.string_at(0)


def abort() -> None:
    os.abort()


def end_quietly() -> None:
    os._exit(0)


def close_the_pipe_and_loop() -> None:
    signal.setitimer(signal.ITIMER_PROF, 0)
    os.close(worker.ANSWERS)
    loop_in_c()


def say(*parts: bytes) -> Callable[[], None]:
    def write() -> None:
        for part in parts:
            os.write(worker.ANSWERS, part)
        wait_for_ever()

    return write


def say_without_end() -> None:
    while True:
        os.write(worker.ANSWERS, framing.ANSWER_HEAD.pack(b"P", 3 * 224 * 224) + bytes(65536))


def answer_twice() -> str:
    framed = framing.refusal_text(InvalidImage("one."))
    os.write(worker.ANSWERS, framing.ANSWER_HEAD.pack(framing.REFUSAL, len(framed)) + framed)
    return "two"


def answered(text: bytes, kind: bytes = framing.REFUSAL) -> Callable[[], None]:
    return say(framing.ANSWER_HEAD.pack(kind, len(text)) + text)


def raise_a_defect() -> None:
    raise RuntimeError("a secret of the file")


def import_something_late() -> None:
    __import__("wsgiref.simple_server")


def attempt(deed: Callable[[], object]) -> Callable[[], str]:
    """What came of it, if it did not end the process."""

    def attempted() -> str:
        try:
            deed()
        except OSError as error:
            return f"refused with {error.strerror}"
        except ValueError as error:  # resource.setrlimit
            return f"refused with {error}"
        return "allowed"

    return attempted


def call(number_of: str, *arguments: object) -> Callable[[], object]:
    """A system call through the C library; OSError where it fails."""

    def called() -> None:
        if getattr(libc, number_of)(*arguments) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    return called


def map_code() -> None:
    libc.mmap.restype = ctypes.c_ssize_t
    call("mmap", None, 4096, 7, 0x22, -1, 0)()


DEEDS: dict[str, Callable[[], object]] = {
    "loop in Python": loop_in_python,
    "loop in C": loop_in_c,
    "loop without a timer": loop_without_a_timer,
    "work for half a second": work_for_half_a_second,
    "wait for a moment": wait_for_a_moment,
    "wait for ever": wait_for_ever,
    "eat memory in Python": eat_memory_in_python,
    "eat memory in C": eat_memory_in_c,
    "run out of memory in Pillow": run_out_of_memory_in_pillow,
    "crash": crash,
    "abort": abort,
    "end quietly": end_quietly,
    "close the pipe and loop": close_the_pipe_and_loop,
    "say nonsense": say(b"HTTP/1.1 200 OK\r\n\r\n"),
    "say half a head": say(b"P"),
    "say too many pixels": say(framing.ANSWER_HEAD.pack(b"P", 3 * 224 * 224 + 1)),
    "say too few pixels": say(framing.ANSWER_HEAD.pack(b"P", 12) + bytes(12)),
    "say half the pixels": say(framing.ANSWER_HEAD.pack(b"P", 3 * 224 * 224) + bytes(1000)),
    "say a huge text": say(framing.ANSWER_HEAD.pack(b"R", 2**32 - 1)),
    "say without end": say_without_end,
    "answer twice": answer_twice,
    "refuse with no JSON": answered(b"\xff{"),
    "refuse with another code": answered(b'{"code": "InternalError", "message": "a"}'),
    "refuse with controls": answered(b'{"code": "InvalidImage", "message": "a\\u001b[2J"}'),
    "refuse with more": answered(b'{"code": "InvalidImage", "message": "a", "status": 200}'),
    "refuse with a list": answered(b'["code", "message"]'),
    "refuse with a list for a code": answered(b'{"code": [], "message": "a"}'),
    "refuse deeply": answered(b"[" * 4000),
    "raise a defect": raise_a_defect,
    "import late": import_something_late,
    "open": attempt(lambda: os.open("/etc/passwd", os.O_RDONLY)),
    "socket": attempt(socket.socket),
    "fork": attempt(os.fork),
    "exec": attempt(lambda: os.execv(sys.executable, ["python"])),  # noqa: S606
    "ptrace": attempt(call("ptrace", 16, os.getppid(), 0, 0)),
    "kill": attempt(lambda: os.kill(os.getppid(), signal.SIGKILL)),
    "more address space": attempt(lambda: __import__("resource").setrlimit(9, (-1, -1))),
    "code": attempt(map_code),
    "environment": lambda: dict(os.environ),
}  # fmt: skip
