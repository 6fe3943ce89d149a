"""Reads files that are said to be pictures."""

import errno
import os
import stat
from pathlib import Path

MIB = 1024**2
MAX_FILE_BYTES = 256 * MIB
"""No camera writes more into a JPEG, and no picture of MOST_PIXELS needs it but a BMP. What is larger is not
read."""
KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
NOT_THERE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})
"""Errors of the system that a mistyped name has too."""


class UnreadablePicture(Exception):
    """A file that can't be read, or is no picture; the message says why."""


def read(path: str) -> bytes:
    """A file's bytes, of a regular file that is no larger than a picture can be.

    Raises:
        UnreadablePicture: it is not there, not readable, no regular file or larger than MAX_FILE_BYTES.
    """
    try:
        check(Path(path).stat())  # before it is opened: opening a device may do something
        with open(os.open(path, _FLAGS), "rb") as file:  # noqa: PTH123 - of a descriptor
            check(os.fstat(file.fileno()))
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadablePicture(problem(error)) from error
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(len(data))
    return data


# A pipe that took the file's place since must not keep us waiting for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def check_named(path: str) -> None:
    """Raises UnreadablePicture where a file is not there, or `check` does."""
    try:
        check(Path(path).stat())
    except OSError as error:
        raise UnreadablePicture(problem(error)) from error


def problem(error: OSError) -> str:
    """Why a file can't be read, and the way out where the name may be wrong."""
    return f"it can't be read: {error.strerror}.{' Check the name.' if error.errno in NOT_THERE else ''}"


def check(status: os.stat_result) -> None:
    """Raises UnreadablePicture where this is no regular file, or one that is too large."""
    for is_kind, name in KINDS:
        if is_kind(status.st_mode):
            raise UnreadablePicture(f"it is {name}, not a file of a picture.")
    if status.st_size > MAX_FILE_BYTES:
        raise _too_large(status.st_size)


def _too_large(size: int) -> UnreadablePicture:
    return UnreadablePicture(
        f"it has {size // MIB} MiB; files of up to {MAX_FILE_BYTES // MIB} MiB are read. Scale it down."
    )
