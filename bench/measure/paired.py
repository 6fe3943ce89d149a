"""Two revisions, timed in turns: whether the second is slower by more than the noise of these very timings.

Each round gives a ratio, after to before, from moments that lie side by side: what the machine does to both
cancels out. Nothing is assumed about how the ratios are spread. The interval of their median is bounded by
ratios of the sample, so many from each end that the true median lies beyond them by chance in one of 100
checks (the sign test's interval; Conover, Practical Nonparametric Statistics, section 3.2).
"""

from dataclasses import dataclass
from enum import Enum
from math import comb, inf
from statistics import median

WRONG_CHECKS = 0.01
"""Of all checks of equal revisions so many may say that a row moved, over all rows together."""
LEAST = 0.02
"""A smaller change is not worth a word, however sure it is: the next link order makes as much."""
HIDDEN = 0.1
"""Where the noise could hide a change of so much, equality is not claimed."""


class Verdict(Enum):
    """What became of a row."""

    SLOWER = "slower"
    FASTER = "faster"
    EQUAL = "equal"
    UNDECIDED = "the noise hides it"
    MISSING = "the revision can't do it"


@dataclass(frozen=True)
class Paired:
    """Milliseconds of a row, round by round: of the revision (none: it can't) and of the working tree."""

    name: str
    before: list[float]
    after: list[float]

    def ratios(self) -> list[float]:
        """After to before, lowest first."""
        return sorted(after / before for before, after in zip(self.before, self.after, strict=True))

    def ratio(self) -> float:
        """The median of them."""
        return median(self.ratios())

    def interval(self, error: float) -> tuple[float, float]:
        """Where the true median ratio is, but for that chance of error; 0 to infinity: too few rounds."""
        ratios, left_out = self.ratios(), _left_out(len(self.before), error)
        return (ratios[left_out], ratios[-1 - left_out]) if left_out is not None else (0.0, inf)


def _left_out(rounds: int, error: float) -> int | None:
    """Ratios at each end beyond which the true median lies by chance alone, no more often than `error`."""
    tail, number = 0, -1
    while 2 * (tail + comb(rounds, number + 1)) / 2**rounds <= error:
        tail, number = tail + comb(rounds, number + 1), number + 1
    return number if number >= 0 else None


def verdict(row: Paired, rows: int) -> Verdict:
    """What one of so many rows says."""
    if not row.before:
        return Verdict.MISSING
    low, high = row.interval(WRONG_CHECKS / rows)
    if low > 1 and row.ratio() >= 1 + LEAST:
        return Verdict.SLOWER
    if high < 1 and row.ratio() <= 1 - LEAST:
        return Verdict.FASTER
    return Verdict.UNDECIDED if high > 1 + HIDDEN else Verdict.EQUAL
