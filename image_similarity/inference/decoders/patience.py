"""Waiting for another process, with an end that does not come early when both were frozen for a while."""

import select
import time

SLICE_SECONDS = 0.25


class Patience:
    """Waits in slices of a quarter of a second, and counts of each no more than two.

    A process that was stopped (AWS Lambda freezes all of a sandbox between two calls) finds that its clock
    has moved by an hour. Here that counts as half a second.
    """

    def __init__(self, seconds: float) -> None:
        self._left = seconds

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self._left <= 0

    def wait(self, ready: select.poll) -> list[tuple[int, int]]:
        """Wait for one slice at most; what is ready, as poll gives it."""
        start = time.monotonic()
        events = ready.poll(SLICE_SECONDS * 1000)
        self._left -= min(time.monotonic() - start, 2 * SLICE_SECONDS)
        return events
