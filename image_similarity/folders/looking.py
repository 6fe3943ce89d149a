"""Looks through folders and files for what an index has to learn of them."""

import os
from collections.abc import Iterable, Sequence

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.folders.inventory import Inventory, file_path
from image_similarity.folders.roots import Roots, outermost
from image_similarity.folders.store import key_of, prefix_of


def look_through(sources: Sequence[str], index: EmbeddedIndex, roots: Roots) -> Inventory:
    """See what is in folders, and in files; the folders are followed from now on.

    A folder that lies in another of them, or is named twice, is looked through once. What is not there is a
    failure, unless its pictures are known: then it is away.
    """
    inventory, followed = Inventory(), set(roots.prefixes())
    prefixes = {source: prefix_of(os.path.realpath(source)) for source in sources}
    wanted = set(outermost(prefix for source, prefix in prefixes.items() if _is_folder(source)))
    for source, prefix in prefixes.items():
        there = _is_folder(source)
        if prefix in followed and is_away(source) and (not there or index.etags(prefix)):
            inventory.away.append(prefix)
            inventory.notes.append(
                f"{source}: the folder is {'empty' if there else 'not there'} now; its pictures stay in the "
                "index. index --forget removes them."
            )
        elif not there:
            key = key_of(file_path(source))
            entries = index.get([key])
            inventory.add_file(source, {key: entries[key].etag} if entries else {})
        elif prefix in wanted:
            wanted.remove(prefix)
            inventory.add_folder(source, index.etags(prefix))
            if prefix not in followed:
                roots.add(os.path.realpath(source))
    return inventory


def is_away(folder: str) -> bool:
    """Whether a folder is not there, or is as empty as the place of a disk that is not mounted."""
    try:
        with os.scandir(folder) as entries:
            return next(entries, None) is None
    except OSError:
        return not _is_folder(folder)


def holder(path: str, folders: Iterable[str]) -> str | None:
    """Which of the folders, given by their real paths, a path is or lies in."""
    prefix = prefix_of(os.path.realpath(path))
    return next((folder for folder in folders if prefix.startswith(prefix_of(folder))), None)


def away(folders: Iterable[str]) -> list[str]:
    """The prefixes of those that are away: what the index has of them is not searched."""
    return [prefix_of(folder) for folder in folders if is_away(folder)]


def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - its own name may be no text
