"""One deadline for everything that a request fetches."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from image_similarity.inference.errors import SourceUnavailable


class DeadlineExceededError(Exception):
    """The time is up, or nobody waits for the result any more."""


class Deadline:
    """A point in time, on the clock that never jumps. Safe to use from many threads."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._lock = threading.Lock()
        self._breakable: set[socket.socket] = set()

    def left(self) -> float:
        """Seconds left; 0 when the time is up."""
        return max(0.0, self._end - time.monotonic())

    def remaining(self) -> float:
        """Seconds left, above 0 and so fit for a socket; DeadlineExceededError when it is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError
        return left

    @contextmanager
    def breaking(self, opened: socket.socket) -> Iterator[None]:
        """While the block runs, `cancel` breaks this connection off, even while it waits for its server.

        Raises:
            DeadlineExceededError: the time is over already.
        """
        # A duplicate descriptor: the number of a closed one is soon given to another file.
        handle = socket.socket(fileno=os.dup(opened.fileno()))
        with handle:
            with self._lock:
                self._breakable.add(handle)
            try:
                self.remaining()
                yield
            finally:
                with self._lock:
                    self._breakable.remove(handle)

    def cancel(self) -> None:
        """End the time now: connections are closed, and no new ones are made."""
        with self._lock:
            self._end = 0.0
            for handle in self._breakable:
                with suppress(OSError):  # not connected yet, or no longer
                    handle.shutdown(socket.SHUT_RDWR)

    def exceeded(self) -> SourceUnavailable:
        """The caller's error for a source that was not read in time."""
        return SourceUnavailable(
            f"the file was not there after {self._seconds:g} seconds; use a faster server or a smaller image."
        )
