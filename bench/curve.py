"""Seconds of a request by Lambda's memory size: measured under quotas where that was done, else reckoned."""

from typing import Any

from bench.cost import MEGABYTES_OF_ONE_CPU, seconds_at
from bench.tables import MAIN, NAMES, warm

MEMORY_SIZES = (1024, 1280, 1536, 1769, 2048, 3008, 3538)
NEEDS_ONE_CPU = ("hand-written",)
"""Too large in memory for a function of less than one CPU."""

Curve = dict[str, dict[int, float]]
"""Contender, then megabytes of memory, then seconds."""


def fits(contender: str, memory: int) -> bool:
    """Whether the contender can run in so much memory at all."""
    return contender not in NEEDS_ONE_CPU or memory >= MEGABYTES_OF_ONE_CPU


def measured(found: dict[str, Any]) -> bool:
    """Whether the run has times under quotas."""
    return "rows" in (found.get("memory") or {})


def curve(found: dict[str, Any]) -> Curve:
    """Of every contender in every memory size that it fits into."""
    if not measured(found):
        return interpolated({threads: warm(found, MAIN, threads) for threads in (1, 2)})
    seconds: Curve = {name: {} for name in NAMES}
    for row in found["memory"]["rows"]:
        seconds[row["contender"]][row["memory_mb"]] = row["median"] / 1000
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
