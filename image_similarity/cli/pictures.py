"""What stands on the command line: files, folders and URLs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from image_similarity.folders.files import UnreadablePicture, read
from image_similarity.folders.listing import Listing, distinct, list_images

__all__ = ["Selection", "UnreadablePicture", "is_url", "read", "select"]
URL_SCHEMES = ("http://", "https://", "s3://")


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
        self.notes += listing.notes()
        self.failures += [
            f"{path}: the folder can't be read: {error.strerror}." for path, error in listing.unreadable
        ]

    def leave_further_names_out(self) -> None:
        """Keep one name of each file: a link is no duplicate of what it links to."""
        kept, further = distinct([Path(name) for name in self.names])
        self.names = [str(path) for path in kept]
        self.notes += [f"{path}: the same file as {first}." for path, first in further if path != first]


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
