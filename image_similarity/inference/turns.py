"""Turns at something that only a few may do at once, granted in the order of the requests."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class NoTurnError(Exception):
    """No turn came in time."""


class Turns:
    """A semaphore that serves whoever has waited longest. For threads.

    Python's own lets a thread that gives its turn back take the next one at once, past those that wait: one
    that takes turn after turn would keep all others out.
    """

    def __init__(self, width: int) -> None:
        """Let `width` threads in at once."""
        self._free = width
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        with self._lock:
            return len(self._line)

    @contextmanager
    def turn(self, seconds: float | None = None) -> Iterator[None]:
        """Hold a turn while the block runs.

        Args:
            seconds: the longest wait; none: for ever.

        Raises:
            NoTurnError: none came in time.
        """
        self._take(seconds)
        try:
            yield
        finally:
            self._give()

    def _take(self, seconds: float | None) -> None:
        with self._lock:
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._line.append(mine)
        if mine.wait(seconds):
            return
        with self._lock:
            if mine.is_set():  # it came between the end of the wait and the lock
                return
            self._line.remove(mine)
        raise NoTurnError

    def _give(self) -> None:
        with self._lock:
            if self._line:
                self._line.popleft().set()  # handed on directly, so it is never free for anybody else
            else:
                self._free += 1
