"""The image files of a folder."""

import os
import stat
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
OTHER_SUFFIXES = frozenset(
    {
        *(".avif", ".gif", ".heic", ".heif", ".jp2", ".jxl", ".tif", ".tiff"),
        *(".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"),  # cameras'
    }
)
"""Pictures that are not read, which whoever names a folder may miss."""
APPLE_DOUBLE = "._"
"""Begins the names of files in which macOS keeps what other file systems have no place for."""


@dataclass(slots=True)
class Listing:
    """What was met in a folder.

    Attributes:
        files: the image files, in order.
        left_out: what is named like an image and is not read, with what it is.
        unreadable: folders whose content is not known, with the system's reason.
        other: how many pictures of formats that are not read, by the ends of their names.
    """

    files: list[Path] = field(default_factory=list)
    left_out: list[tuple[Path, str]] = field(default_factory=list)
    unreadable: list[tuple[Path, OSError]] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """Lines about what was left out."""
        lines = [f"{path}: left out, it is {what}." for path, what in self.left_out]
        if self.other:
            parts = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(self.other.items()))
            lines.append(f"Left out, in unsupported formats: {parts}. Convert them to JPEG first.")
        return lines


def list_images(folder: Path) -> Listing:
    """Look for files whose names end like those of images, subfolders included.

    Links are followed to files within the folder alone: a link out of it would make somebody else's file one
    of these pictures. Linked folders are not entered, since those within are met by their own names.
    """
    listing = Listing()
    root = os.path.realpath(folder)
    waiting = [folder]
    while waiting:  # no recursion: folders may be nested deeper than Python's stack
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(here / entry.name)
                    else:
                        _take(entry, here / entry.name, root, listing)
        except OSError as error:
            listing.unreadable.append((here, error))
    listing.files.sort()
    listing.left_out.sort()
    return listing


def _take(entry: os.DirEntry[str], path: Path, root: str, listing: Listing) -> None:
    named_so = path.suffix.lower() in SUFFIXES and not path.name.startswith(APPLE_DOUBLE)
    if entry.is_symlink():
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(root):
            if named_so or target.is_dir():
                listing.left_out.append((path, "a link that leaves the folder"))
            return
    if not named_so:
        if path.suffix.lower() in OTHER_SUFFIXES and not path.name.startswith(APPLE_DOUBLE):
            listing.other[path.suffix.lower()] += 1
        return
    try:
        kind = path.stat().st_mode
    except OSError:  # it goes round in circles, or is gone since
        listing.left_out.append((path, "a link to nothing"))
        return
    if stat.S_ISREG(kind):
        listing.files.append(path)
    elif not stat.S_ISDIR(kind):
        listing.left_out.append((path, "not a regular file"))


def image_files(folder: Path) -> list[Path]:
    """The folder's image files, in order; see `list_images`.

    Raises:
        OSError: the folder, or one in it, can't be read.
    """
    listing = list_images(folder)
    for _, error in listing.unreadable:
        raise error
    return listing.files


def distinct(files: list[Path]) -> tuple[list[Path], list[tuple[Path, Path]]]:
    """Part files from further names of the same files: symbolic and hard links.

    Returns:
        The first name of each file, in order, and each further name with the first one.
    """
    first: dict[tuple[int, int], Path] = {}
    kept, further = [], []
    for path in files:
        try:
            status = path.stat()
        except OSError:  # who reads it tells why it can't be read
            kept.append(path)
            continue
        known = first.setdefault((status.st_dev, status.st_ino), path)
        if known is path:
            kept.append(path)
        else:
            further.append((path, known))
    return kept, further
