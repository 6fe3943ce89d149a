"""One request of the soak and what may answer it; a stream of them in a fixed mix."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tests.security.attacks import JSON

TOLERANCE = 1e-5
# Shares of the requests; the rest is good. What is dear takes seconds of a processor, and what stalls its ten
# seconds: the mix is to hold some of each, and not to be made of them.
SHARES = {
    "large": 0.02,
    "dear": 0.02,
    "ballast": 0.02,
    "bomb": 0.02,
    "heavy": 0.02,
    "stalled": 0.004,
    "bad": 0.3,
}
KINDS = ("good", *SHARES)


@dataclass(frozen=True)
class Item:
    """One request to send, and what it must give.

    Attributes:
        kind: one of KINDS.
        body: the request.
        content_type: its header.
        wanted: the answer, where the picture is good.
        codes: what may answer another.
    """

    kind: str
    body: bytes
    content_type: str | None = JSON
    wanted: dict[str, object] | None = None
    codes: frozenset[str] = frozenset()

    def right(self, status: int, text: str) -> bool:
        """Whether the answer is one that this request may get."""
        try:
            answer = json.loads(text)
        except ValueError:
            return False
        if not isinstance(answer, dict):
            return False
        if self.wanted is None:
            return 400 <= status < 500 and answer.get("code") in self.codes
        return status == 200 and answer.keys() == self.wanted.keys() and _near(answer, self.wanted)


def _near(found: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether all numbers are the same, but for rounding."""
    try:
        return all(
            np.shape(found[name]) == np.shape(wanted[name])
            and np.allclose(found[name], wanted[name], rtol=0, atol=TOLERANCE)
            for name in wanted
        )
    except (TypeError, ValueError):  # no numbers at all
        return False


class Traffic:
    """A stream of items, mixed at random."""

    def __init__(self, items: Mapping[str, Sequence[Item]]) -> None:
        """Take the items of each of KINDS."""
        self._items = items

    def next(self, chance: random.Random) -> Item:
        """An item of a kind drawn by its share."""
        draw = chance.random()
        for kind, share in SHARES.items():
            draw -= share
            if draw < 0:
                return chance.choice(self._items[kind])
        return chance.choice(self._items["good"])
