"""The streams that a process begins with, which its caller may have closed, filled or left."""

import io
import os
import sys

from image_similarity.cli.text import tell


def prepare() -> None:
    """Open what is closed, and let any name be written to stdout, whatever its encoding."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:  # else the next file, the index maybe, would have this number, and be written into
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = io.TextIOWrapper(io.FileIO(0, "r", closefd=False))
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False))
    if sys.stderr is None:
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def written() -> bool:
    """Write what is left for stdout; whether it is all written, which is said where its disk is full."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # `| head`: whoever read it has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what Python flushes at its end
    except OSError as error:
        tell(f"error: the output can't be written: {error.strerror}.")
        return False
    return True
