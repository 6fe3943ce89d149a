"""The service's side of one decoder: it sends a file and reads an answer, each within a time limit."""

import math
import os
import select
import time

from image_similarity.inference.decoders import framing
from image_similarity.inference.decoders.framing import ANSWER_HEAD, REQUEST_HEAD, Answer, GarbageError
from image_similarity.inference.decoders.limits import Limits
from image_similarity.inference.decoders.patience import Patience

LATE_SECONDS = 0.5
"""Seconds over its budget after which a decoder that the kernel has not killed is killed from here."""
PROCESS_CLOCK = 2  # linux/posix-timers.h: CPUCLOCK_SCHED; the clock's id is computed from the process's


class GoneError(Exception):
    """The decoder has closed a pipe: it ended, or is about to."""


class OverspentError(Exception):
    """The decoder has exceeded its budget of processor time, and the kernel has not ended it."""


class LateError(Exception):
    """The decoder has not answered by the time until which its answer is of use."""


class StuckError(Exception):
    """The decoder has not answered, though it has processor time left."""


class Child:
    """One decoder process. Not thread-safe.

    Attributes:
        number: what the zygote calls it.
        pid: its process.
        zygote: the zygote that made it, counted from 1; each has its own numbering.
    """

    def __init__(self, number: int, pid: int, zygote: int, pipes: tuple[int, int], limits: Limits) -> None:
        """Take ownership of our ends of its pipes, for requests and for answers."""
        self.number = number
        self.pid = pid
        self.zygote = zygote
        requests, answers = pipes
        self._requests = requests
        self._answers = answers
        self._limits = limits
        for descriptor in (requests, answers):
            os.set_blocking(descriptor, False)

    def close(self) -> None:
        """Close the pipes, which ends an idle decoder."""
        os.close(self._requests)
        os.close(self._answers)

    @property
    def quiet(self) -> bool:
        """Whether it waits for a request, which means that it neither ended nor wrote anything."""
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        return not waiting.poll(0)

    def first_words(self) -> str:
        """The protections that it lacks, usually none.

        Raises:
            GarbageError, GoneError, OverspentError, StuckError: see the classes.
        """
        return framing.read_words(self._exchange([], 0, math.inf).content)

    def ask(self, text: bytes, file: bytes, pixel_bytes: int, end: float = math.inf) -> Answer:
        """Send a request and wait for its answer.

        Args:
            text: `framing.request_text`.
            file: the image.
            pixel_bytes: the length of the answer, if it holds pixels.
            end: until when the answer is of use, on the monotonic clock.

        Raises:
            GarbageError, GoneError, LateError, OverspentError, StuckError: see the classes. The
                decoder must be ended.
        """
        head = REQUEST_HEAD.pack(len(text), len(file))
        return self._exchange([memoryview(head + text), memoryview(file)], pixel_bytes, end)

    def _exchange(self, unsent: list[memoryview], pixel_bytes: int, until: float) -> Answer:
        room = ANSWER_HEAD.size + max(pixel_bytes, framing.MAX_TEXT_BYTES)
        answer, filled = memoryview(bytearray(room + 1)), 0
        patience, start = Patience(self._limits.clock_seconds), self._processor_seconds()
        waiting = select.poll()
        waiting.register(self._answers, select.POLLIN)
        if unsent:
            waiting.register(self._requests, select.POLLOUT)
        while True:
            if unsent and not (unsent := self._send(unsent)):
                waiting.unregister(self._requests)
            received = self._receive(answer[filled:])
            if received and unsent:
                raise GarbageError("an answer before the request was read")
            filled += received
            if filled >= ANSWER_HEAD.size:
                kind, length = framing.expected_length(bytes(answer[: ANSWER_HEAD.size]), pixel_bytes)
                end = ANSWER_HEAD.size + length
                if filled > end:
                    raise GarbageError("more than one answer")
                if filled == end:
                    return Answer(kind, answer[ANSWER_HEAD.size : end])
            patience.wait(waiting)
            self._check(patience, start)
            if time.monotonic() > until:
                raise LateError

    def _send(self, unsent: list[memoryview]) -> list[memoryview]:
        """Write as much as the pipe takes and return the rest."""
        try:
            return framing.without(unsent, os.writev(self._requests, unsent))
        except BlockingIOError:
            return unsent
        except BrokenPipeError:
            raise GoneError from None

    def _receive(self, room: memoryview) -> int:
        try:
            received = os.readv(self._answers, [room])
        except BlockingIOError:
            return 0
        if received == 0:
            raise GoneError
        return received

    def _check(self, patience: Patience, start: float | None) -> None:
        now = self._processor_seconds()
        budget = self._limits.processor_seconds + LATE_SECONDS
        if start is not None and now is not None and now - start > budget:
            raise OverspentError
        if patience.over:
            raise StuckError

    def _processor_seconds(self) -> float | None:
        """Processor seconds that the decoder has used; None where the system can't say."""
        try:
            return time.clock_gettime((~self.pid << 3) | PROCESS_CLOCK)
        except OSError:
            return None
