"""Bounded concurrency: how many requests one process takes, and how many of them compute at once."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

from image_similarity.inference.errors import Unavailable
from image_similarity.inference.turns import NoTurnError, Turns

STUCK_AFTER_SECONDS = 60.0
"""SageMaker's own limit for an invocation: after that, nobody receives the answer."""

READING_PER_CORE = 4
"""Bodies received at once from callers with a place: /ping waits behind all that arrive."""
BODIES_PER_PLACE = 4
"""Bodies (of up to 5 MiB) that may be arriving for each place: many callers may be slow at once."""
FILES_A_PLACE = 2
"""The files of a pair take one place, the sixteen of the largest batch eight."""
KEPT_SHARE = 3
"""One in this many places is kept for requests that need one place: otherwise three batches with slow servers
would take all the places of two cores."""
BUSY = "Too many requests wait here already. Try again in a moment."

Result = TypeVar("Result")


def cores() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Gate:
    """Lets a fixed number of requests compute at once, in the order of their arrival. Thread-safe."""

    def __init__(self, width: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.width = width
        self._turns = Turns(width)
        self._clock = clock
        self._lock = threading.Lock()
        self._ended = 0.0
        self._starts: dict[object, float] = {}

    def seconds(self) -> float:
        """What all turns have taken so far in total, including running ones."""
        with self._lock:
            now = self._clock()
            return self._ended + sum(now - start for start in self._starts.values())

    @contextmanager
    def turn(self, seconds: float) -> Iterator[None]:
        """Compute while the block runs.

        Raises:
            Unavailable: no turn came in so many seconds.
        """
        with ExitStack() as held:
            try:
                held.enter_context(self._turns.turn(seconds))
            except NoTurnError as error:
                raise Unavailable(BUSY) from error
            ticket = object()
            with self._lock:
                self._starts[ticket] = self._clock()
            try:
                yield
            finally:
                with self._lock:
                    self._ended += self._clock() - self._starts.pop(ticket)


class Fetching:
    """Counts the files that are being fetched, and refuses more than its limit. Thread-safe.

    The other places of `Workers` are left to requests that fetch nothing, or whose files are there.
    """

    def __init__(self, places: int) -> None:
        """Have `places` for FILES_A_PLACE files each."""
        self._free, self._kept = places, places // KEPT_SHARE
        self._lock = threading.Lock()

    @contextmanager
    def files(self, count: int) -> Iterator[None]:
        """Fetch this many files while the block runs.

        Raises:
            Unavailable: there are not enough places left.
        """
        places = -(-count // FILES_A_PLACE)
        with self._lock:
            if places > self._free - (self._kept if places > 1 else 0):
                raise Unavailable(
                    "Too many requests wait for their files already. Try again in a moment, or send the "
                    'image itself as "img".'
                )
            self._free -= places
        try:
            yield
        finally:
            with self._lock:
                self._free += places


class Held:
    """Counts the bytes of fetched files that wait to be decoded. Thread-safe.

    Places count requests, and a batch may have fetched 64 MiB.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._lock = threading.Lock()

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold this many bytes while the block runs; if nothing else is held, any number may be.

        Raises:
            Unavailable: there would be too many.
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
    """Runs work on threads for an event loop; takes at most `capacity` pieces, and more wait for a while.

    Every piece has its own thread, so that slow sources hold up nobody else; the service's gate lets only as
    many compute at once as there are cores. Call all methods from the event loop's thread. `turn_to_read` is
    held while a body is received that comes at once, `turn_to_refuse` by one refusal a round of the loop.
    """

    def __init__(self, capacity: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._capacity, self._clock, self._readers = capacity, clock, 0
        self._places = asyncio.Semaphore(capacity)
        self.turn_to_read, self.turn_to_refuse = asyncio.Semaphore(READING_PER_CORE * cores()), asyncio.Lock()
        self._starts: dict[object, float] = {}
        self._threads = ThreadPoolExecutor(max_workers=capacity, thread_name_prefix="request")

    @property
    def stuck(self) -> bool:
        """Whether a piece of work has run for longer than anyone waits for it."""
        oldest = min(self._starts.values(), default=None)
        return oldest is not None and self._clock() - oldest > STUCK_AFTER_SECONDS

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Receive a slow body, and hold it until it has a place: meanwhile it takes none.

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

    @asynccontextmanager
    async def place(self, patience: float) -> AsyncIterator[None]:
        """Take a place for one piece of work, in the order in which they came.

        Args:
            patience: seconds to wait for one.

        Raises:
            Unavailable: all places are taken.
        """
        try:
            async with asyncio.timeout(patience):
                await self._places.acquire()
        except TimeoutError as error:
            raise Unavailable(BUSY) from error
        ticket = object()
        self._starts[ticket] = self._clock()
        try:
            yield
        finally:
            del self._starts[ticket]
            self._places.release()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run the work on a thread and wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
