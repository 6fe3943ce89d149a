"""Warm latency: all contenders run and are called in turn, so a disturbance affects all of them alike."""

from collections.abc import Sequence
from statistics import median

from bench.measure.contenders import Contender, running
from bench.measure.inputs import Case
from bench.measure.results import Latency


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
                Latency(name, case.name, threads, median(taken), min(taken), len(taken))
                for name, taken in times.items()
            ]
    return results
