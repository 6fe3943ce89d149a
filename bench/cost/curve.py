"""Seconds of a request by Lambda's memory size: measured under quotas, or calculated where they were not."""

from bench.cost.model import seconds_at
from bench.measure.memory_sizes import MEMORY_SIZES, fits
from bench.measure.results import MAIN, NAMES, Run

Curve = dict[str, dict[int, float]]
"""Contender, then megabytes of memory, then seconds."""


def measured(run: Run) -> bool:
    """Whether the run has times under quotas."""
    return run.memory is not None and run.memory.reason is None


def curve(run: Run) -> Curve:
    """For every contender and every memory size that it fits into."""
    if run.memory is None or run.memory.reason is not None:
        return interpolated({threads: run.warm(MAIN, threads) for threads in (1, 2)})
    seconds: Curve = {name: {} for name in NAMES}
    for row in run.memory.rows:
        seconds[row.contender][row.memory_mb] = row.median / 1000
    return seconds


def interpolated(times: dict[int, dict[str, float]]) -> Curve:
    """From milliseconds on one and on two whole cores."""
    return {
        name: {
            memory: seconds_at(memory, times[1][name] / 1000, times[2][name] / 1000)
            for memory in MEMORY_SIZES
            if fits(name, memory)
        }
        for name in NAMES
    }
