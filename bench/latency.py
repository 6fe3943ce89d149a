"""Warm latency: every contender started, then called in turns, so that the machine's moods hit all alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.contenders import Contender, running
from bench.inputs import Case


@dataclass(frozen=True)
class Latency:
    """Milliseconds of one contender for one case: median, lowest, and the number of calls."""

    contender: str
    case: str
    threads: int
    median: float
    lowest: float
    calls: int


def measure(chosen: Sequence[Contender], cases: Sequence[Case], threads: int, rounds: int) -> list[Latency]:
    """A B C D A B C D ... for each case; the first call of each is not counted."""
    results = []
    with running(chosen, cases, threads) as workers:
        for number, case in enumerate(cases):
            times: dict[str, list[float]] = {name: [] for name in workers}
            for worker in workers.values():
                worker.call(number)
            for _ in range(rounds):
                for name, worker in workers.items():
                    times[name].append(worker.call(number))
            results += [
                Latency(name, case.name, threads, median(found), min(found), len(found))
                for name, found in times.items()
            ]
    return results
