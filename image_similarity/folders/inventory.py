"""What is in folders, beside what an index knows of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from image_similarity.catalogue.objects import ObjectState
from image_similarity.folders import files
from image_similarity.folders.listing import distinct, list_images
from image_similarity.folders.store import key_of, path_of, prefix_of, state_of


@dataclass(slots=True)
class Inventory:
    """The pictures that were named, and how the index differs.

    Attributes:
        names: of each picture by key, as it was given, in order.
        states: of the files by key.
        known: the ETags that the index has, by key.
        files: what tells each file from others, by key; equal where one has several names.
        gone: keys of the index whose files are no longer there.
        away: prefixes of folders that are not there, whose pictures stay in the index.
        notes: lines about what was left out.
        failures: names of what could not be read, and why.
    """

    names: dict[str, str] = field(default_factory=dict)
    states: dict[str, ObjectState] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    away: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)

    def add_folder(self, folder: str, known: Mapping[str, str]) -> None:
        """Take a folder.

        Args:
            folder: its name.
            known: the ETags of what the index has of it, by key.
        """
        listing, real = list_images(Path(folder)), os.path.realpath(folder)
        pictures, further = distinct(listing.files)
        self.notes += listing.notes()
        if not (listing.files or listing.other or listing.unreadable):
            self.notes.append(f"{folder}: there is no picture in it.")
        self.notes += [f"{path}: the same file as {first}." for path, first in further]
        self.failures += [
            (str(path), f"the folder can't be read: {error.strerror}.") for path, error in listing.unreadable
        ]
        present = set()
        for path in pictures:
            inside = os.path.join(real, path.relative_to(folder))  # noqa: PTH118 - a hundred thousand of them
            present.add(self._add(inside, str(path)))
        self.known |= known
        unseen = tuple(prefix_of(os.path.realpath(path)) for path, _ in listing.unreadable)
        self.gone += [key for key in known if key not in present and not key.startswith(unseen)]

    def add_file(self, name: str, known: Mapping[str, str]) -> None:
        """Take one file; see `add_folder`."""
        self.known |= known
        path = file_path(name)
        try:
            files.check(os.stat(path))  # noqa: PTH116 - as below
        except files.UnreadablePicture as error:
            self.failures.append((name, str(error)))
            self.gone += known
            return
        except OSError as error:
            self.failures.append((name, files.problem(error)))
            return
        self._add(path, name)

    def look_again(self, known: Mapping[str, str]) -> None:
        """Take files that were given one by one before; see `add_folder`."""
        self.known |= known
        for key in known:
            if self._add(path_of(key), path_of(key)) is None:
                self.gone.append(key)

    def _add(self, path: str, name: str) -> str | None:
        key = key_of(path)
        try:
            status = os.stat(path)  # noqa: PTH116 - as above
        except OSError:
            return None
        self.states[key] = state_of(key, status, readable=os.access(path, os.R_OK))
        self.names.setdefault(key, name)
        self.files[key] = (status.st_dev, status.st_ino)
        return key

    def once(self) -> list[str]:
        """The keys, with one name of each file: a link is no duplicate of what it links to."""
        return list({file: key for key, file in reversed(self.files.items())}.values())[::-1]


def file_path(name: str) -> str:
    """The path by which a file is known that is given by itself: a link's own."""
    return os.path.abspath(name)  # noqa: PTH100 - pathlib's follows links, or keeps the dots
