"""Which files of a folder are uploaded, and under which keys."""

from dataclasses import dataclass, field
from pathlib import Path

from image_similarity.folders.listing import list_images

LONGEST_KEY = 1024
"""Bytes of an object's key."""


@dataclass
class Selection:
    """The pictures of a folder by key, and lines about what is left out."""

    files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def select(folder: Path) -> Selection:
    """What may be a picture: by its name, a file of this folder, neither hidden nor in a hidden folder."""
    listing, selection, hidden = list_images(folder), Selection(), 0
    selection.notes += [f"{path}: left out, it is {what}." for path, what in listing.left_out]
    selection.notes += [f"{path}: can't be read: {error.strerror}." for path, error in listing.unreadable]
    for path in listing.files:
        key = path.relative_to(folder).as_posix()
        if any(part.startswith(".") for part in path.relative_to(folder).parts):
            hidden += 1
        elif why := _no_key(key):
            selection.notes.append(f"{key!a}: left out, {why}.")
        else:
            selection.files[key] = path
    if hidden:
        selection.notes.append(f"{hidden} hidden files are left out.")
    return selection


def _no_key(name: str) -> str | None:
    try:
        length = len(name.encode())
    except UnicodeEncodeError:
        return "its name is no UTF-8"
    return f"its name has more than {LONGEST_KEY} bytes" if length > LONGEST_KEY else None
