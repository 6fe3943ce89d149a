"""Warm latency by Lambda's memory size, each contender under the CPU quota that the size buys.

`python -m bench.report.memory` prints the tables alone.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench.measure.contenders import Contender, Limits, Worker, write_events
from bench.measure.inputs import Case
from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU, MEMORY_SIZES, fits
from bench.measure.quota import PERIOD_MS, NoQuotaError, limited
from bench.measure.results import AtMemory, MemorySizes

VISIBLE_CORES = 2
"""A function sees two cores up to 3008 MB, whatever its share of them."""
MORE_THAN_ONE_CPU = (2048, 2300, 2654, 3008)
"""Where one thread leaves a part of the quota unused and two may use it up before the period ends."""


@dataclass(frozen=True)
class Sized:
    """A contender in a memory size, with the threads that it takes by itself (None) or a number of them."""

    contender: Contender
    memory_mb: int
    threads: int | None = None

    @property
    def cpus(self) -> float:
        """What the memory size buys."""
        return self.memory_mb / MEGABYTES_OF_ONE_CPU

    def limits(self, prefix: tuple[str, ...]) -> Limits:
        """Our handler takes its threads from the memory size, so a number of threads goes as memory."""
        named_mb = self.threads * MEGABYTES_OF_ONE_CPU if self.threads else self.memory_mb
        return Limits(self.threads or max(1, round(self.cpus)), named_mb, VISIBLE_CORES, prefix)


def measure(chosen: Sequence[Contender], main: Case, rounds: int) -> MemorySizes:
    """Rows by memory size, and of the default with one and two threads; `reason` where it can't be done."""
    exact = next(contender for contender in chosen if contender.name == "exact")
    sizes = [[Sized(c, memory) for c in chosen if fits(c.name, memory)] for memory in MEMORY_SIZES]
    threads = [[Sized(exact, memory, count) for count in (1, 2)] for memory in MORE_THAN_ONE_CPU]
    write_events([main])
    try:
        rows, by_threads = (
            [row for together in several for row in _interleaved(together, rounds)]
            for several in (sizes, threads)
        )
    except NoQuotaError as error:
        return MemorySizes(reason=str(error))
    return MemorySizes(PERIOD_MS, rows, by_threads)


def _interleaved(together: Sequence[Sized], rounds: int) -> list[AtMemory]:
    """A B C A B C ..., each in a group of its own."""
    with ExitStack() as stack:
        workers = []
        for sized in together:
            prefix = stack.enter_context(limited(sized.cpus))
            workers.append(Worker(sized.contender, sized.limits(prefix)))
            stack.callback(workers[-1].kill)
        for worker in workers:
            worker.call(0)
        turns = [[worker.call(0) for worker in workers] for _ in range(rounds)]
    return [
        AtMemory(a.contender.name, a.memory_mb, a.threads, median(times), min(times), rounds)
        for a, times in zip(together, zip(*turns, strict=True), strict=True)
    ]
