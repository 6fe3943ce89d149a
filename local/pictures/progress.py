"""How far the indexing of a folder is, for people."""

import sys
import time
from collections import deque
from collections.abc import Callable

LINE_SECONDS = 5.0
"""Between two lines of progress where they can't replace each other."""
RATE_SECONDS = 20.0
"""Of which a rate speaks."""
Say = Callable[[str], None]


class Progress:
    """Tells how far it is: one line that changes on a terminal, one every few seconds elsewhere."""

    def __init__(self, total: int, say: Say) -> None:
        self._total, self._say = total, say
        self._terminal = sys.stdout.isatty()
        self._line = ""
        self._told = 0.0
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), 0)])

    def show(self, uploaded: int, waiting: int, doing: str) -> None:
        """Tell it, if it is time to."""
        now, done = time.monotonic(), max(0, uploaded - waiting)
        self._seen.append((now, done))
        while now - self._seen[0][0] > RATE_SECONDS and len(self._seen) > 2:
            self._seen.popleft()
        text = f"{doing}: {done} of {self._total} pictures{self._speed(done)}"
        if self._terminal:
            self._line = text
            print(f"\r{text}\x1b[K", end="", flush=True)
        elif now - self._told >= LINE_SECONDS:
            self._told = now
            self._say(text)

    def tell(self, line: str) -> None:
        """Say something else between."""
        self.end()
        self._say(line)

    def end(self) -> None:
        """Leave the line."""
        if self._line:
            print("\r\x1b[K", end="", flush=True)
        self._line = ""

    def _speed(self, done: int) -> str:
        (first, then), (last, _) = self._seen[0], self._seen[-1]
        rate = (done - then) / (last - first) if last > first else 0.0
        if rate <= 0 or done >= self._total:
            return ""
        left = (self._total - done) / rate
        return f", {rate:.0f} a second, about {_duration(left)} left"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
