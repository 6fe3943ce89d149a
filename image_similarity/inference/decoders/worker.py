"""The decoder process: reads a file from one pipe, writes pixels or a refusal to another, again and again.

It runs with nothing but those two pipes (see `sandbox`), and any file may be its last: nothing here is kept
from one to the next.
"""

import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference import allocator
from image_similarity.inference.decoders import framing, sandbox
from image_similarity.inference.decoders.limits import Limits
from image_similarity.inference.errors import ImageTooLarge, InvalidImage
from image_similarity.inference.manifest import Preprocessing

REQUESTS, ANSWERS = 3, 4
"""The descriptors of the two pipes."""
# What Pillow imports when it is first needed: a confined process opens no file.
LATE = ("ImageColor", "ImageFile", "ImagePalette")
ENDS = (*(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT), signal.SIGPROF)
"""What ends a codec that crashes, and one that takes too long. A fork inherits the handlers that Python's
faulthandler (PYTHONFAULTHANDLER) gave to the service. In a confined process they can't undo themselves, and
the crash would come again until the processor time is used up."""
Decode = Callable[..., NDArray[np.uint8]]


class LateImportError(BaseException):
    """A confined decoder imports a module: a defect. Not an OSError, which would be taken for the file's."""


class _NoImports(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        raise LateImportError(fullname)


def load(name: str) -> Decode:
    """Import the function that decodes, `module:function`, and what it may need later."""
    for module in LATE:
        importlib.import_module(f"PIL.{module}")
    module, _, function = name.partition(":")
    decode: Decode = getattr(importlib.import_module(module), function)
    return decode


def run(decode: Decode, limits: Limits, parent: int) -> NoReturn:
    """Serve until the request pipe ends. The pipes are REQUESTS and ANSWERS, and nothing else is open."""
    for number in ENDS:
        signal.signal(number, signal.SIG_DFL)  # whatever the service or its own starter left it at
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPROF})
    allocator.keep_for_pictures()
    requests = os.fdopen(REQUESTS, "rb", closefd=False)
    missing = sandbox.confine(parent, limits.memory_bytes)
    sys.meta_path.insert(0, _NoImports())
    _send(framing.READY, ", ".join(missing).encode()[: framing.MAX_TEXT_BYTES])
    while head := requests.read(framing.REQUEST_HEAD.size):
        # Counted by the kernel: at its end SIGPROF ends the process, even in a loop of C code.
        signal.setitimer(signal.ITIMER_PROF, limits.processor_seconds)
        kind, content = _answer(decode, head, requests)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(kind, content)
        del content  # not while the next request is waited for
    os._exit(0)


def _answer(decode: Decode, head: bytes, requests: io.BufferedReader) -> tuple[bytes, bytes | memoryview]:
    try:
        text_bytes, file_bytes = framing.REQUEST_HEAD.unpack(head)
        preprocessing = framing.read_request_text(requests.read(text_bytes))
        return framing.PIXELS, _pixels(decode, requests.read(file_bytes), preprocessing)
    except (InvalidImage, ImageTooLarge) as error:
        if _ran_out_of_memory(error):
            return framing.OUT_OF_MEMORY, b""
        return framing.REFUSAL, framing.refusal_text(error)
    except MemoryError:
        return framing.OUT_OF_MEMORY, b""
    except BaseException as error:  # the service logs it and answers 500, as for every other defect
        return framing.DEFECT, _described(error).encode()[: framing.MAX_TEXT_BYTES]


def _pixels(decode: Decode, file: bytes, preprocessing: Preprocessing) -> memoryview:
    pixels = decode(file, preprocessing=preprocessing)
    return np.ascontiguousarray(pixels, dtype=np.uint8).data.cast("B")


def _ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether a refusal's cause is that: Pillow makes an OSError of what its C code could not allocate."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and "out of memory" in str(error)):
            return True
        error = error.__cause__
    return False


def _described(error: BaseException) -> str:
    """Type and place alone: a message may quote the file."""
    detail = f" of {error}" if isinstance(error, LateImportError) else ""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f" in {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{detail}{place}"


def _send(kind: bytes, content: bytes | memoryview) -> None:
    unsent = [memoryview(framing.ANSWER_HEAD.pack(kind, len(content))), memoryview(content)]
    while unsent := framing.without(unsent, os.writev(ANSWERS, unsent)):
        pass
