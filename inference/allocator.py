"""The C library's allocator, told to keep what it frees while a model is loaded."""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# mallopt(3), malloc.h of glibc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 * 1024**2
_NEVER_TRIM = 2**31 - 1
# Afterwards: pictures reuse each other's memory (a quarter off decoding), and 8 MB at most stay unused.
_MMAP_THRESHOLD, _TRIM_THRESHOLD = 4 * 1024**2, 8 * 1024**2


@contextmanager
def reusing_freed_memory() -> Iterator[None]:
    """Within the block, freed memory serves the next allocation; after it, the rest goes back to the kernel.

    Loading a model turns every weight into two others (converted, then packed for the processor) and frees
    the one before. By default glibc returns each to the kernel, which then clears the same pages again for
    the next: a quarter of the time to load ViT-B/32. Elsewhere than on glibc this does nothing.
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is None or not hasattr(libc, "gnu_get_libc_version"):
        yield
        return
    libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM)
    try:
        yield
    finally:
        libc.mallopt(_M_MMAP_THRESHOLD, _MMAP_THRESHOLD)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)
        libc.malloc_trim(0)
