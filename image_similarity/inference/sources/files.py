"""The files of a batch as they arrive, each with its own success or failure."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import partial
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from image_similarity.inference.errors import ApiError
from image_similarity.inference.request import Source
from image_similarity.inference.sources.allowance import Allowance
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.fetch import Fetch
from image_similarity.inference.sources.judge import Fetchable, judged
from image_similarity.inference.sources.places import AT_ONCE
from image_similarity.inference.sources.policy import SourcePolicy

GRACE_SECONDS = 0.2
"""After the deadline, for fetches that have noticed it themselves."""
Arrival = tuple[int, bytes | Exception]


class Files:
    """The files of many images, under one deadline and one allowance. `take` is for one thread.

    At most AT_ONCE are fetched from one server at a time: more would only wait in line there, in the way of
    other requests.
    """

    def __init__(
        self,
        images: Sequence[Source],
        policy: SourcePolicy,
        place: Callable[[int], AbstractContextManager[object, bool | None]] = lambda _: nullcontext(),
    ) -> None:
        """Judge every source and read those in the request; nothing is sent yet.

        Args:
            images: in order.
            policy: what may be fetched.
            place: see `sources.read_all`; given the number of files that are fetched at once.
        """
        self._images, self._policy, self._place = images, policy, place
        self._arrived: SimpleQueue[int] = SimpleQueue()
        self._outcomes: dict[int, bytes | Exception] = {}
        self._fetches: dict[int, Fetch] = {}
        self._lines: dict[str | int, deque[tuple[int, Fetchable]]] = {}
        self._missing = set(range(len(images)))
        self._lock = threading.Lock()
        self._held = ExitStack()
        for index, image in enumerate(images):
            try:
                item = judged(image, policy)
            except ApiError as error:
                self._arrive(index, error)
            else:
                if isinstance(item, bytes):
                    self._arrive(index, item)
                else:
                    line = index if item.server is None else item.server  # S3: a line for each file
                    self._lines.setdefault(line, deque()).append((index, item))

    def __enter__(self) -> Self:
        """Begin to fetch.

        Raises:
            Unavailable: there is no place for so many fetches.
        """
        self._deadline = Deadline(self._policy.timeout_seconds)
        self._allowance = Allowance(self._policy.max_bytes_in_all)
        if self._lines:
            self._held.enter_context(
                self._place(sum(min(AT_ONCE, len(line)) for line in self._lines.values()))
            )
        for name in self._lines:
            for _ in range(AT_ONCE):
                self._begin_next(name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._lines.clear()
        self._deadline.cancel()
        self._held.close()

    def take(self, *, wait: bool) -> list[Arrival]:
        """The files that have arrived since the last call, by their index: bytes, or why there are none.

        Args:
            wait: wait for one where there is none, unless all have been taken.
        """
        taken: list[Arrival] = []
        while self._missing:
            try:
                index = self._arrived.get(wait and not taken, self._deadline.left() + GRACE_SECONDS)
            except Empty:
                if wait and not taken:
                    taken += self._late()
                break
            if index in self._missing:
                self._missing.remove(index)
                taken.append((index, self._outcome(index)))
        if not self._missing:
            self._held.close()  # while the batch computes, others may fetch
        return taken

    def _begin_next(self, line: str | int) -> None:
        """Start the next fetch in a queue; one that can't start gets its error, and the next one starts."""
        while True:
            with self._lock:
                if not self._lines.get(line):
                    return
                index, item = self._lines[line].popleft()
            ended = partial(self._end, index, line)
            fetch = Fetch(self._images[index].field, item.read, self._deadline, self._allowance, ended)
            self._fetches[index] = fetch
            try:
                fetch.begin()
            except ApiError as error:
                self._arrive(index, error)
            else:
                return

    def _end(self, index: int, line: str | int) -> None:
        self._arrived.put(index)
        self._begin_next(line)

    def _outcome(self, index: int) -> bytes | Exception:
        fetch = self._fetches.pop(index, None)
        if index in self._outcomes or fetch is None:
            return self._outcomes.pop(index)
        try:
            return fetch.outcome()
        except ApiError as error:
            # Its traceback would keep this frame, and through it the one that keeps the error: a ring, which
            # holds all that was read until the garbage collector runs.
            return error.with_traceback(None)
        except Exception as error:  # a defect: where it was is logged
            return error

    def _late(self) -> list[Arrival]:
        """What has not arrived by the deadline."""
        late = sorted(self._missing)
        self._missing.clear()
        with self._lock:
            self._lines.clear()
        arrivals: list[Arrival] = []
        for index in late:
            error = self._deadline.exceeded()
            error.field = self._images[index].field
            arrivals.append((index, error))
        return arrivals

    def _arrive(self, index: int, outcome: bytes | Exception) -> None:
        self._outcomes[index] = outcome
        self._arrived.put(index)
