"""Warm latency by Lambda's memory size, each contender under the CPU quota that the size buys.

python -m bench.memory prints the tables alone.
"""

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench import tables
from bench.contenders import MEGABYTES_OF_ONE_CPU, Contender, Limits, Worker, contenders, write_events
from bench.curve import MEMORY_SIZES, fits
from bench.inputs import Case, cases
from bench.quota import PERIOD_MS, NoQuotaError, limited

VISIBLE_CORES = 2
"""A function sees two cores up to 3008 MB, whatever its share of them."""
MORE_THAN_ONE_CPU = (2048, 2300, 2654, 3008)
"""Where one thread leaves a part of the quota unused and two may use it up before the period ends."""


@dataclass(frozen=True)
class Asked:
    """A contender in a memory size, with the threads that it takes by itself (None) or a number of them."""

    contender: Contender
    memory_mb: int
    threads: int | None = None

    @property
    def cpus(self) -> float:
        """What the memory size buys."""
        return self.memory_mb / MEGABYTES_OF_ONE_CPU

    def limits(self, prefix: tuple[str, ...]) -> Limits:
        """Our handler takes its threads from the memory size, so a number of threads is told as memory."""
        told = self.threads * MEGABYTES_OF_ONE_CPU if self.threads else self.memory_mb
        return Limits(self.threads or max(1, round(self.cpus)), told, VISIBLE_CORES, prefix)


@dataclass(frozen=True)
class AtMemory:
    """Milliseconds of the main case: median, lowest, and the number of calls."""

    contender: str
    memory_mb: int
    threads: int | None
    median: float
    lowest: float
    calls: int


def measure(chosen: Sequence[Contender], main: Case, rounds: int) -> dict[str, Any]:
    """Rows by memory size, and of the default with one and two threads; `reason` where it can't be done."""
    exact = next(contender for contender in chosen if contender.name == "exact")
    sizes = [[Asked(c, memory) for c in chosen if fits(c.name, memory)] for memory in MEMORY_SIZES]
    threads = [[Asked(exact, memory, count) for count in (1, 2)] for memory in MORE_THAN_ONE_CPU]
    write_events([main])
    try:
        rows, by_threads = (
            [asdict(row) for together in several for row in _interleaved(together, rounds)]
            for several in (sizes, threads)
        )
    except NoQuotaError as error:
        return {"reason": str(error)}
    return {"period_ms": PERIOD_MS, "rows": rows, "threads": by_threads}


def _interleaved(together: Sequence[Asked], rounds: int) -> list[AtMemory]:
    """A B C A B C ..., each in a group of its own."""
    with ExitStack() as stack:
        workers = []
        for asked in together:
            prefix = stack.enter_context(limited(asked.cpus))
            workers.append(Worker(asked.contender, asked.limits(prefix)))
            stack.callback(workers[-1].kill)
        for worker in workers:
            worker.call(0)
        turns = [[worker.call(0) for worker in workers] for _ in range(rounds)]
    return [
        AtMemory(a.contender.name, a.memory_mb, a.threads, median(times), min(times), rounds)
        for a, times in zip(together, zip(*turns, strict=True), strict=True)
    ]


if __name__ == "__main__":
    print(tables.memory(measure(contenders(), cases()[0], int(sys.argv[1]) if sys.argv[1:] else 9)))
