"""Bounded concurrency: how many requests one process takes, and how many of them compute at once."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import TypeVar

from image_similarity.inference.errors import Unavailable

STUCK_AFTER_SECONDS = 60.0
"""SageMaker's own limit for an invocation: after that, nobody receives the answer."""

BODIES_PER_PLACE = 4
"""Bodies (of up to 5 MiB) that may be arriving for each place: many callers may be slow at once."""
GATE_SECONDS = 15.0
"""With ten seconds of fetching, this stays below API Gateway's 29: a later answer reaches nobody."""
BUSY = "Too many requests wait here already. Try again in a moment."

Result = TypeVar("Result")


def cores() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Gate:
    """Lets a limited number compute at once, and turns away whoever has waited too long. Thread-safe.

    Args:
        width: how many may pass at once.
        seconds: the longest wait.
    """

    def __init__(self, width: int, seconds: float = GATE_SECONDS) -> None:
        self._seconds = seconds
        self._passing = threading.BoundedSemaphore(width)

    def __enter__(self) -> None:
        """Wait for a turn.

        Raises:
            Unavailable: no turn came in time.
        """
        if not self._passing.acquire(timeout=self._seconds):
            raise Unavailable(BUSY)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._passing.release()


class Fetching:
    """Counts the requests that fetch, apart from those that compute, up to a limit. Thread-safe.

    The other places of `Workers` are left for requests that fetch nothing, or whose files have arrived.
    """

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    def __enter__(self) -> None:
        """Take a place.

        Raises:
            Unavailable: all are taken.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable(
                "Too many requests wait for their files already. Try again in a moment, or send the image "
                'itself as "img".'
            )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()


class Held:
    """Counts the bytes of fetched files that wait for their turn at the gate. Thread-safe.

    Places only count requests, and one may hold 40 MiB: 32 a core would fill an instance with 2 GiB a core.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold so many bytes. When nothing is held, any size passes.

        Raises:
            Unavailable: they would exceed the limit.
        """
        with self._lock:
            if self._bytes and self._bytes + size > self._most_bytes:
                raise Unavailable(BUSY)
            self._bytes += size
        try:
            yield
        finally:
            with self._lock:
                self._bytes -= size


class Workers:
    """Runs work on threads for an event loop; takes at most `capacity` pieces and refuses more.

    Every piece has its own thread, so that slow sources hold up nobody else; the service's gate lets only as
    many compute at once as there are cores. Call all methods from the event loop's thread.
    """

    def __init__(self, capacity: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity = capacity
        self._clock = clock
        self._readers = 0
        self._starts: dict[object, float] = {}
        self._threads = ThreadPoolExecutor(max_workers=capacity, thread_name_prefix="request")

    @property
    def stuck(self) -> bool:
        """Whether a piece of work has run for longer than anyone waits for it."""
        oldest = min(self._starts.values(), default=None)
        return oldest is not None and self._clock() - oldest > STUCK_AFTER_SECONDS

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Receive one body. Callers that send slowly take no place of `place`.

        Raises:
            Unavailable: too many bodies are arriving.
        """
        if self._readers >= BODIES_PER_PLACE * self._capacity:
            raise Unavailable(BUSY)
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place for one piece of work.

        Raises:
            Unavailable: all places are taken.
        """
        if len(self._starts) >= self._capacity:
            raise Unavailable(BUSY)
        ticket = object()
        self._starts[ticket] = self._clock()
        try:
            yield
        finally:
            del self._starts[ticket]

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run the work on a thread and wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
