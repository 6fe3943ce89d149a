"""How long each step of a request takes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timings:
    """Milliseconds that one request has spent in each step, in the order of their first beginnings.

    Attributes:
        start: when the request came, on the monotonic clock.
        steps: the milliseconds by the step's name.
    """

    start: float = field(default_factory=time.monotonic)
    steps: dict[str, float] = field(default_factory=dict)

    @property
    def elapsed(self) -> float:
        """Seconds since the request came."""
        return time.monotonic() - self.start

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the block's time for the step of that name."""
        start = time.perf_counter()
        self.steps.setdefault(name, 0.0)
        try:
            yield
        finally:
            self.steps[name] += (time.perf_counter() - start) * 1000
