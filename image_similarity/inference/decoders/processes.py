"""Decoding in processes that can be killed: no file keeps a request longer than its budget."""

import atexit
import logging
import math
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from image_similarity.inference.decoders import Decoder, InProcess, framing
from image_similarity.inference.decoders.child import Child, GoneError, LateError, OverspentError, StuckError
from image_similarity.inference.decoders.framing import Answer, GarbageError
from image_similarity.inference.decoders.limits import MEBIBYTE, Limits
from image_similarity.inference.decoders.nursery import End, Nursery
from image_similarity.inference.errors import ApiError, InvalidImage, Timeout, Unavailable
from image_similarity.inference.turns import NoTurnError, Turns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_similarity.inference.manifest import Preprocessing

ATTEMPTS = 2
"""Tries for one image, if something from outside ended its decoder."""
ADVICE = "save it again, as a baseline JPEG or a PNG."
OUTSIDE = frozenset({-signal.SIGKILL, -signal.SIGTERM, None})
"""Exit codes of a decoder that did not end by itself: killed by an operator or a system short of memory."""
logger = logging.getLogger(__name__)


def start(limits: Limits | None = None) -> Decoder:
    """Decoder processes where the system has what they need (Linux), else decoding in this process.

    To be called before anything starts a thread, which importing NumPy does (here it does not): then a small
    process is forked in a few milliseconds, while a process with threads must start a new interpreter.
    """
    if sys.platform == "linux":
        decoder = DecoderProcesses(limits or Limits())
        atexit.register(decoder.close)
        return decoder
    logger.warning("no decoder processes on %s: an image's time and memory are not bounded", sys.platform)
    return InProcess()


class _Interrupted(Exception):
    """A decoder was ended from outside; the image is not to blame."""


class DecoderProcesses:
    """As many decoders as the process has cores, each made when it is first needed. Thread-safe.

    Attributes:
        nursery: makes the decoders.
        idle: decoders that wait for a request, the one that was used last at the end.

    Whatever happens to a decoder, the request that it worked for is answered and the next one gets another.
    """

    def __init__(self, limits: Limits, size: int | None = None) -> None:
        """Start the process that makes decoders.

        Args:
            limits: the budget of one image.
            size: decoders at once; as many as the process may use cores.
        """
        self._limits = limits
        self._places = Turns(size or len(os.sched_getaffinity(0)))
        self.idle: list[Child] = []
        self._warned = False  # about the missing protections, once
        self.nursery = Nursery(limits)

    def close(self) -> None:
        """End all processes."""
        self.nursery.close()
        while self.idle:
            self.idle.pop().close()

    def decode(
        self, data: bytes, *, preprocessing: "Preprocessing", seconds: float | None = None
    ) -> "NDArray[np.uint8]":
        """See `Decoder.decode`."""
        import numpy as np

        side = preprocessing.size
        text = framing.request_text(preprocessing)
        end = math.inf if seconds is None else time.monotonic() + seconds
        try:
            with self._places.turn(seconds):
                answer = self._answer(text, data, 3 * side * side, end)
        except (NoTurnError, LateError) as error:
            raise Timeout("its decoding was not over in time. Try again, with fewer images.") from error
        if answer.kind == framing.PIXELS:
            return np.frombuffer(answer.content, np.uint8).reshape(side, side, 3)
        raise self._refusal(answer)

    def _answer(self, text: bytes, data: bytes, pixel_bytes: int, end: float) -> Answer:
        for _ in range(ATTEMPTS):
            try:
                return self._ask(text, data, pixel_bytes, end)
            except _Interrupted:
                continue
        raise _interrupted()

    def _ask(self, text: bytes, data: bytes, pixel_bytes: int, end: float) -> Answer:
        child = self._take()
        returned = False
        try:
            answer = child.ask(text, data, pixel_bytes, end)
            if answer.kind == framing.REFUSAL:
                framing.read_refusal(answer.content)  # GarbageError, while we have the child
            if answer.kind in {framing.PIXELS, framing.REFUSAL}:
                self.idle.append(child)
                returned = True
        except GoneError:
            returned = True
            raise self._judged(self.nursery.end(child, kill=False)) from None
        except OverspentError:
            raise self._overspent() from None
        except StuckError:
            logger.exception("decoder process %d was stuck", child.pid)
            raise _interrupted() from None
        except GarbageError:
            logger.exception("decoder process %d wrote what no decoder writes", child.pid)
            raise _undecodable() from None
        finally:
            if not returned:
                self.nursery.end(child, kill=True)
        return answer

    def _take(self) -> Child:
        """An idle decoder, or a new one; those that have died meanwhile are reaped."""
        while True:
            try:
                child = self.idle.pop()
            except IndexError:
                return self._new()
            if child.quiet:
                return child
            end = self.nursery.end(child, kill=True)
            logger.warning("decoder process %d ended between requests (%s)", child.pid, _named(end))

    def _new(self) -> Child:
        child = self.nursery.child()
        try:
            missing = child.first_words()
        except (GoneError, OverspentError, StuckError, GarbageError) as error:
            end = self.nursery.end(child, kill=not isinstance(error, GoneError))
            if end.code in OUTSIDE:
                raise _Interrupted from error
            raise RuntimeError(f"a decoder process does not start: {_named(end)}") from error
        if missing and not self._warned:
            self._warned = True
            logger.warning("decoder processes run without: %s", missing)
        return child

    def _judged(self, end: End) -> Exception:
        """What a decoder's end means for the image that it had."""
        if end.code == -signal.SIGPROF:
            return self._overspent()
        if end.code in OUTSIDE and not end.killed_by_us:
            logger.warning("a decoder process was ended from outside (%s)", _named(end))
            return _Interrupted()
        # For a codec, that is a security event. The log contains nothing of the image.
        logger.error("a decoder process crashed (%s)", _named(end))
        return _undecodable()

    def _overspent(self) -> InvalidImage:
        budget = f"{self._limits.processor_seconds:g} seconds of processor time"
        return InvalidImage(f"decoding the image takes more than {budget}; {ADVICE}")

    def _refusal(self, answer: Answer) -> Exception:
        if answer.kind == framing.REFUSAL:
            return framing.read_refusal(answer.content)
        if answer.kind == framing.OUT_OF_MEMORY:
            most = self._limits.memory_bytes // MEBIBYTE
            return InvalidImage(f"decoding the image takes more than {most} MB of memory; {ADVICE}")
        return RuntimeError(f"decoding failed: {framing.read_words(answer.content)}")


def _interrupted() -> ApiError:
    return Unavailable("decoding was interrupted. Try again in a moment.")


def _undecodable() -> ApiError:
    return InvalidImage(f"the image can't be decoded; {ADVICE}")


def _named(end: End) -> str:
    if end.code is None:
        return "unknown"
    if end.code >= 0:
        return f"exit code {end.code}"
    return signal.Signals(-end.code).name
