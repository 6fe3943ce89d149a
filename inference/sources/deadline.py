"""One deadline over everything that a request fetches."""

import time

from inference.errors import SourceUnavailable


class DeadlineExceededError(Exception):
    """The time is over, or nobody waits for the result any more."""


class Deadline:
    """A point in time, on the clock that never jumps."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds left, 0 when it is over."""
        return max(0.0, self._end - time.monotonic())

    def remaining(self) -> float:
        """Seconds left, above 0 and so fit for a socket; DeadlineExceededError when it is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError
        return left

    def cancel(self) -> None:
        """End it now: fetches that still run stop at their next byte."""
        self._end = 0.0

    def exceeded(self, field: str) -> SourceUnavailable:
        """The caller's error for a source that was not read in time."""
        return SourceUnavailable(
            f"{field}: the file was not there after {self._seconds:g} seconds; "
            "use a faster server or a smaller image."
        )
