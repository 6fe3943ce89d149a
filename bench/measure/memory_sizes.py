"""Lambda's memory sizes: which are measured, and how much of a processor each buys."""

MEGABYTES_OF_ONE_CPU = 1769
MEMORY_SIZES = (1024, 1280, 1536, 1769, 2048, 3008, 3538)
NEEDS_ONE_CPU = ("hand-written",)
"""Too large in memory for a function of less than one CPU."""


def fits(contender: str, memory_mb: int) -> bool:
    """Whether the contender can run in so much memory at all."""
    return contender not in NEEDS_ONE_CPU or memory_mb >= MEGABYTES_OF_ONE_CPU
