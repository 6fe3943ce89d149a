"""Many images in one request: in turns, so that others' requests pass between them.

A turn decodes the files of one chunk on all cores while it encodes the chunk before, then leaves the gate.
However many images there are and whatever they are, only the files, one chunk of pictures and the vectors are
in memory. One bad image fails alone.
"""

import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import wait
from contextlib import ExitStack
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.engine import GATE_SECONDS, Engine
from image_similarity.inference.errors import ApiError, InternalError, Timeout, Unavailable, naming
from image_similarity.inference.request import Source
from image_similarity.inference.sources import Files
from image_similarity.inference.timings import Timings

CHUNK, CHUNK_AMONG_OTHERS = 8, 4
"""Images encoded at once: if a request has the process to itself, and if others wait for it.
See docs/adr/0008 for what more and fewer cost."""
TURN_SECONDS = 1.0
"""After which a turn starts no further image: one image may take two seconds of CPU time."""
BEGIN_SECONDS = 20.0
"""After which a batch starts no further image: the answer must arrive within API Gateway's 29."""
DECODED_SECONDS = 24.0
"""After which a decoder is stopped: on a shared or small processor, two seconds of CPU time take longer."""
END_SECONDS = 25.0
"""The longest wait for the last turn, which encodes what has been decoded."""
logger = logging.getLogger(__name__)


class Failure(NamedTuple):
    """Why an image has no vector: an error's code and message, without what an error keeps alive."""

    code: str
    message: str


Outcome = NDArray[np.float32] | Failure


@dataclass(slots=True)
class _Waiting:
    """A file that waits to be decoded; `held` counts its bytes meanwhile."""

    index: int
    file: bytes
    held: ExitStack


class Batch:
    """One batch on its way through the engine. For one thread."""

    def __init__(
        self, images: Sequence[Source], engine: Engine, timings: Timings, internal_error: str
    ) -> None:
        """Make it; nothing is computed yet.

        Args:
            images: in order.
            engine: decodes and encodes.
            timings: of the request.
            internal_error: the message for an image on which something of ours fails.
        """
        self._images, self._engine, self._timings = images, engine, timings
        self._internal_error = internal_error
        self._waiting: deque[_Waiting] = deque()
        self._squares: list[tuple[int, NDArray[np.uint8]]] = []
        self._outcomes: dict[int, Outcome] = {}
        self._computed = False

    def run(self, files: Files) -> list[Outcome]:
        """The vectors [512] of the images in order, or why there are none.

        Raises:
            Unavailable: no turn came in time for any of them.
        """
        try:
            while len(self._outcomes) < len(self._images):
                self._receive(files)
                if self._is_late():
                    self._give_up(Timeout(_late_message()))
                if self._waiting or self._squares:
                    self._take_turn()
            return [self._outcomes[index] for index in range(len(self._images))]
        finally:
            for item in self._waiting:
                item.held.close()

    def _receive(self, files: Files) -> None:
        """Take the files that have arrived; wait for one if there is nothing else to do."""
        idle = not self._waiting and not self._squares
        with self._timings.step("fetch"):
            arrivals = files.take(wait=idle)
        for index, file in arrivals:
            if isinstance(file, Exception):
                self._fail(index, file)
                continue
            held = ExitStack()
            try:
                with naming(self._images[index].field):
                    size = len(file) if self._images[index].is_fetched else 0
                    held.enter_context(self._engine.holding(size))
            except Unavailable as error:
                self._fail(index, error)
            else:
                self._waiting.append(_Waiting(index, file, held))

    def _is_late(self) -> bool:
        return self._timings.elapsed > BEGIN_SECONDS

    def _take_turn(self) -> None:
        end = BEGIN_SECONDS if self._waiting else END_SECONDS
        with ExitStack() as turn:
            try:
                seconds = max(0.0, min(GATE_SECONDS, end - self._timings.elapsed))
                turn.enter_context(self._engine.batch_turn(seconds))
            except Unavailable as error:
                self._turned_away(error)
                return
            self._compute()

    def _turned_away(self, error: Unavailable) -> None:
        """No turn came: refuse the whole request if nothing has been computed, else the waiting images."""
        if self._waiting and self._is_late():
            return  # `run` gives up what has not begun; what has, gets another turn
        if not self._computed:
            raise error
        if self._waiting:
            self._give_up(error)
            return  # what has been decoded gets another turn
        for index, _ in self._squares:
            self._fail(index, error)
        self._squares = []

    def _compute(self) -> None:
        """One turn: decode the next chunk while encoding the one before."""
        self._computed = True
        size = CHUNK_AMONG_OTHERS if self._engine.is_shared else CHUNK
        chunk = deque(self._waiting.popleft() for _ in range(min(size, len(self._waiting))))
        decoded: list[tuple[int, NDArray[np.uint8]]] = []
        end = time.monotonic() + TURN_SECONDS
        workers = [
            self._engine.threads.submit(self._decode_until, end, chunk, decoded)
            for _ in range(min(self._engine.cores, len(chunk)))
        ]
        try:
            self._encode()
        finally:
            with self._timings.step("decode"):
                wait(workers)  # the gate is for one request: the next is not let in while this one decodes
            self._waiting.extendleft(reversed(chunk))
        self._squares = decoded
        if not self._waiting or self._is_late():
            self._encode()  # nothing is to be decoded meanwhile

    def _decode_until(
        self, end: float, chunk: deque[_Waiting], decoded: list[tuple[int, NDArray[np.uint8]]]
    ) -> None:
        """Decode images of the chunk, in a thread, until the time or the chunk is over."""
        while not self._is_late():
            try:
                item = chunk.popleft()
            except IndexError:
                return
            try:
                with item.held:
                    field, left = self._images[item.index].field, DECODED_SECONDS - self._timings.elapsed
                    decoded.append((item.index, self._engine.decode(item.file, field, max(0.0, left))))
            except Exception as error:
                self._fail(item.index, error)
            del item
            if time.monotonic() > end:
                return

    def _encode(self) -> None:
        if not self._squares:
            return
        squares, self._squares = self._squares, []
        with self._timings.step("encode"):
            vectors = self._engine.encode(np.stack([square for _, square in squares]))
        self._outcomes |= {index: vector for (index, _), vector in zip(squares, vectors, strict=True)}

    def _give_up(self, error: ApiError) -> None:
        while self._waiting:
            item = self._waiting.popleft()
            item.held.close()
            self._fail(item.index, error)

    def _fail(self, index: int, error: Exception) -> None:
        if not isinstance(error, ApiError):
            logger.error("image %d of a batch failed", index, exc_info=error)
            error = InternalError(self._internal_error)
        field = error.field or self._images[index].field
        self._outcomes[index] = Failure(error.code, f"{field}: {error.message}")


def _late_message() -> str:
    return (
        f"there was no time left to begin with it after {BEGIN_SECONDS:g} seconds; send it again, with fewer "
        "images in a request."
    )
