"""Faults at every call: before it takes effect, after it, or the end of the process."""

import random
from collections.abc import Callable
from typing import Any

from image_similarity.catalogue.index import TransientError

Anything = Any


class Killed(BaseException):
    """The process ends here: nothing of it goes on, as when a function times out."""


class Faults:
    """Decides by chance what becomes of a call, and counts.

    Attributes:
        rate: how many of a thousand calls go wrong.
        between: runs now and then around calls, as another process would: objects are replaced while they are
            read, another worker overtakes this one.
    """

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.rate = 0
        self.between: Callable[[], None] | None = None
        self.interleave = 0
        self.counts: dict[str, int] = {}
        self.calls = 0

    def reset(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def around(self, name: str, call: Callable[[], Any]) -> Anything:
        self.calls += 1
        self._meanwhile(name)
        kind = self._chance.randrange(1000)
        if kind < self.rate:
            what = self._chance.choice(["refused", "answer lost", "killed before", "killed after"])
            self._count(f"{name}: {what}")
            if what == "refused":
                raise TransientError(f"{name} is throttled")
            if what == "killed before":
                raise Killed
            call()
            if what == "answer lost":
                raise TransientError(f"{name} timed out")
            raise Killed
        answer = call()
        self._meanwhile(name)
        return answer

    def _meanwhile(self, name: str) -> None:
        between = self.between
        if between and self._chance.randrange(1000) < self.interleave:
            self.between = None  # not into itself
            try:
                self._count(f"{name}: interleaved")
                between()
            finally:
                self.between = between


class Faulty:
    """Any object, whose methods pass through `faults`; attributes and properties as they are."""

    def __init__(self, inner: Anything, name: str, faults: Faults) -> None:
        self._inner, self._name, self._faults = inner, name, faults

    def __getattr__(self, attribute: str) -> Anything:
        found = getattr(self._inner, attribute)
        if not callable(found):
            return found
        return lambda *args, **kwargs: self._faults.around(
            f"{self._name}.{attribute}", lambda: found(*args, **kwargs)
        )
