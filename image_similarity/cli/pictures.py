"""What stands on the command line: files, folders and URLs."""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from image_similarity.folder import Listing, distinct, list_images

URL_SCHEMES = ("http://", "https://", "s3://")
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


class UnreadablePicture(Exception):
    """A file that can't be read, or is no picture; the message says why."""


@dataclass(slots=True)
class Selection:
    """The pictures of a command.

    Attributes:
        names: paths and URLs, in order.
        notes: lines about what was left out.
        failures: lines about folders that could not be read.
    """

    names: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def add(self, listing: Listing) -> None:
        """Take a folder's pictures."""
        self.names += [str(path) for path in listing.files]
        self.notes += [f"{path}: left out, it is {what}." for path, what in listing.left_out]
        self.failures += [
            f"{path}: the folder can't be read: {error.strerror}." for path, error in listing.unreadable
        ]

    def leave_further_names_out(self) -> None:
        """Keep one name of each file: a link is no duplicate of what it links to."""
        kept, further = distinct([Path(name) for name in self.names])
        self.names = [str(path) for path in kept]
        self.notes += [f"{path}: the same file as {first}." for path, first in further]


def select(arguments: Iterable[str]) -> Selection:
    """Replace each folder by its pictures, in the order of their names, subfolders included.

    A path that does not exist is kept: reading it says so.
    """
    selection = Selection()
    for argument in arguments:
        if not is_url(argument) and Path(argument).is_dir():
            selection.add(list_images(Path(argument)))
        else:
            selection.names.append(argument)
    return selection


def is_url(picture: str) -> bool:
    """Whether a picture is fetched and not read from a file."""
    return picture.startswith(URL_SCHEMES)


def read(path: str) -> bytes:
    """A file's bytes, of a regular file that is no larger than a picture can be.

    Raises:
        UnreadablePicture: it is not there, not readable, no regular file or larger than MAX_FILE_BYTES.
    """
    try:
        _check(Path(path).stat())  # before it is opened: opening a device may do something
        with open(os.open(path, _FLAGS), "rb") as file:  # noqa: PTH123 - of a descriptor
            _check(os.fstat(file.fileno()))
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise UnreadablePicture(f"it can't be read: {error.strerror}. Check the name.") from error
    if len(data) > MAX_FILE_BYTES:
        raise _too_large(len(data))
    return data


# A pipe that took the file's place since must not keep us waiting for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def _check(status: os.stat_result) -> None:
    for is_kind, name in KINDS:
        if is_kind(status.st_mode):
            raise UnreadablePicture(f"it is {name}, not a file of a picture.")
    if status.st_size > MAX_FILE_BYTES:
        raise _too_large(status.st_size)


def _too_large(size: int) -> UnreadablePicture:
    return UnreadablePicture(
        f"it has {size // MIB} MiB; files of up to {MAX_FILE_BYTES // MIB} MiB are read. Scale it down."
    )
