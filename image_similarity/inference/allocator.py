"""glibc's allocator, set for a process that loads a model once and then decodes pictures.

A fault for a fresh page of 4 kB costs 2 to 5 microseconds on a virtual machine: 175,000 of them while
ViT-B/32 is loaded, 3,000 for each decoded picture of 3 megapixels. So what is freed serves what comes next.
"""

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# mallopt(3), malloc.h of glibc
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST_MMAP_THRESHOLD = 32 * 1024**2
_NEVER_TRIM = 2**31 - 1
_KEPT_FOR_PICTURES = 64 * 1024**2
"""Bytes that may stay unused at the heap's end: one picture of 4096 x 4096 in Pillow's 4 bytes a pixel."""


@contextmanager
def reusing_freed_memory() -> Iterator[None]:
    """Load a model inside the block; afterwards pictures reuse each other's memory.

    Loading turns every weight into two others (converted, then packed for the processor) and frees the one
    before. By default glibc returns each to the kernel, which then clears the same pages again for the next:
    a third of the time to load ViT-B/32, and again of the time to decode a picture. Threads share one heap,
    since each would keep memory of its own otherwise. Elsewhere than on glibc this does nothing.
    """
    libc = _glibc()
    if libc is None:
        yield
        return
    _share_and_keep(libc)
    libc.mallopt(_M_TRIM_THRESHOLD, _NEVER_TRIM)
    try:
        yield
    finally:
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_FOR_PICTURES)
        libc.malloc_trim(0)


def keep_for_pictures() -> None:
    """Let pictures reuse each other's memory, in a process that loads no model."""
    libc = _glibc()
    if libc is not None:
        _share_and_keep(libc)
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_FOR_PICTURES)


def _share_and_keep(libc: ctypes.CDLL) -> None:
    libc.mallopt(_M_ARENA_MAX, 1)
    libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)


def _glibc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if libc is not None and hasattr(libc, "gnu_get_libc_version") else None
