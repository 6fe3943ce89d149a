"""What happened in a phase of the soak, as figures, tables and a verdict."""

import threading
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np

from tests.soak.items import KINDS

OUTCOMES = ("right", "wrong", "lost", "failed")
"""The right answer; another one; none, or not in time; and a client that broke."""
SETTLED = 0.25  # share of a phase after which memory is judged: caches and arenas fill first
WINDOW = 10  # samples of memory, of which the least counts: the rest of them is pictures being decoded
MAX_SLOPE = 60.0  # MB an hour, beyond what its error explains
LONG_SECONDS = 300
MAX_TEXTS = 100


class Record:
    """Counts of one phase, by kind and outcome. Safe to use from many threads, until it is closed."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        self.resent = self.killed = 0
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.memory: list[tuple[float, float]] = []
        self.texts: list[str] = []
        self._lock = threading.Lock()
        self._closed = False

    def note(self, kind: str, outcome: str, *, seconds: float = 0.0, resent: int = 0, text: str = "") -> None:
        """Count one request; the text says what was wrong with it."""
        with self._lock:
            if self._closed:
                return
            self.counts[kind, outcome] += 1
            self.resent += resent
            if outcome == "right":
                self.seconds[kind].append(seconds)
            elif len(self.texts) < MAX_TEXTS:
                self.texts.append(f"{outcome}: {kind}: {text}")

    def close(self) -> None:
        """From now on nothing counts: who still waits for an answer is counted as lost by the phase."""
        with self._lock:
            self._closed = True

    def milliseconds(self, kind: str, percent: float) -> int:
        """A percentile of the time that right answers took, sending again included."""
        return round(float(np.percentile(self.seconds[kind] or [0.0], percent)) * 1000)

    def slope(self) -> tuple[float, float]:
        """Growth of memory in MB an hour and its standard error, by least squares over the settled part."""
        samples = self.memory[int(len(self.memory) * SETTLED) :]
        windows = [samples[at : at + WINDOW] for at in range(0, len(samples) - WINDOW + 1, WINDOW)]
        if len(windows) < 5:
            return 0.0, 0.0
        times, values = np.array([min(window, key=lambda sample: sample[1]) for window in windows]).T
        fit, covariance = np.polyfit(times, values, 1, cov=True)
        return float(fit[0]) * 3600, float(np.sqrt(covariance[0, 0])) * 3600


@dataclass(frozen=True)
class Phase:
    """A phase that is over."""

    name: str
    seconds: float
    record: Record

    def total(self, *, kind: str | None = None, outcome: str | None = None) -> int:
        """Requests of this kind, or all; with this outcome, or any."""
        return sum(
            count
            for (a_kind, an_outcome), count in self.record.counts.items()
            if kind in {None, a_kind} and outcome in {None, an_outcome}
        )

    def unanswered(self) -> int:
        """Requests that did not get their right answer."""
        return self.total() - self.total(outcome="right")

    def is_judged(self) -> bool:
        """Whether memory tells something: in a long phase in which no worker was killed."""
        return self.record.killed == 0 and self.seconds >= LONG_SECONDS

    def grows(self) -> bool:
        """Whether memory grows by more than the error of its slope explains."""
        slope, error = self.record.slope()
        return self.is_judged() and slope - 2 * error > MAX_SLOPE

    def row(self) -> dict[str, str | int]:
        """The phase's row of the summary."""
        record, (slope, error) = self.record, self.record.slope()
        megabytes = [value for _, value in record.memory] or [0.0]
        return {
            "phase": self.name,
            "seconds": round(self.seconds),
            "requests": self.total(),
            **{kind: self.total(kind=kind) for kind in KINDS},
            **{outcome: self.total(outcome=outcome) for outcome in OUTCOMES[1:]},
            "sent again": record.resent,
            "kills": record.killed,
            "p50 ms": record.milliseconds("good", 50),
            "p99 ms": record.milliseconds("good", 99),
            "MB": round(float(np.median(megabytes))),
            "peak MB": round(max(megabytes)),
            "MB/h": f"{slope:+.0f} ± {error:.0f}" if error else "too short",
        }

    def rows_by_kind(self) -> list[dict[str, str | int]]:
        """Requests by kind and outcome, with the times of the right ones."""
        kinds = [*KINDS, *sorted({kind for kind, _ in self.record.counts} - set(KINDS))]
        return [
            {
                "kind": kind,
                **{outcome: self.record.counts[kind, outcome] for outcome in OUTCOMES},
                "p50 ms": self.record.milliseconds(kind, 50),
                "p99 ms": self.record.milliseconds(kind, 99),
            }
            for kind in kinds
        ]


def verdict(phases: list[Phase]) -> tuple[int, str]:
    """Status 0 when every request of every phase got its answer and memory is level; and the sentence."""
    faults = [] if phases else ["nothing ran"]
    for phase in phases:
        if not phase.total(kind="good", outcome="right"):
            faults.append(f"{phase.name}: no good request was answered")
        if phase.unanswered():
            faults.append(f"{phase.name}: {phase.unanswered()} without their right answer")
        if phase.grows():
            faults.append(f"{phase.name}: memory grows")
    if faults:
        return 1, "; ".join(faults)
    judged = any(phase.is_judged() for phase in phases)
    return 0, "every request got its right answer; memory " + (
        "is level" if judged else "was not judged: too short"
    )
