"""The catalogue that `import image_similarity` offers, see there."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from image_similarity.api import Encoder, ImageLike
from image_similarity.folders.index import FolderIndex
from image_similarity.folders.store import key_of, path_of, prefix_of
from image_similarity.inference.manifest import DIMENSIONS

Where = str | os.PathLike[str]


@dataclass(frozen=True, slots=True)
class Hit:
    """A picture that was found.

    Attributes:
        path: of its file.
        similarity: to what was looked for, 0 to 1, rounded to six decimals.
        size: of the file in bytes.
        modified: when it was written, ISO 8601 in UTC.
    """

    path: Path
    similarity: float
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Indexed:
    """What `Catalogue.index` did.

    Attributes:
        indexed: pictures that were read, because they are new or were changed.
        kept: pictures that the index knew as they are.
        gone: pictures that left, with their files.
        failed: why a picture, or a folder, could not be read, by its name.
    """

    indexed: int
    kept: int
    gone: int
    failed: dict[str, str]


class Catalogue:
    """Pictures of folders in one file: indexed, searched, followed when they change. Any thread may call it.

    The file is durable, and may be open in other processes; the command `image-similarity` reads and writes
    the same ones (its option --index).
    """

    def __init__(self, file: Where, *, encoder: Encoder | None = None) -> None:
        """Open the file, or begin one.

        Args:
            file: its path.
            encoder: makes the vectors; none: the model that comes along. A file keeps to its model.

        Raises:
            image_similarity.catalogue.index.IndexFileError: it is something else, damaged, or has vectors
            of another model.
            OSError: its folder can't be made.
        """
        self._encoder = encoder or Encoder()
        self._index = FolderIndex(Path(file), self._encoder.model)

    def close(self) -> None:
        """Let go of the file."""
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def folders(self) -> list[Path]:
        """Those that are followed."""
        return [Path(folder) for folder in self._index.folders]

    def index(
        self,
        pictures: Where | Iterable[Where] | None = None,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Indexed:
        """Read what is new or changed, and drop what is gone. What is done stays, however it ends.

        Args:
            pictures: a folder or a file, or any number of them; folders are followed from now on. None: all
                that were given before.
            progress: takes how many pictures are done, and how many there are to do.
        """
        if pictures is None:
            inventory = self._index.look_through_all()
        else:
            several = [pictures] if isinstance(pictures, str | os.PathLike) else pictures
            inventory = self._index.look_through([os.fspath(one) for one in several])
        todo = self._index.todo(inventory)
        if inventory.gone:
            self._index.drop(inventory.gone)
        failed = dict(inventory.failures)
        tried, done, indexed = set(todo), 0, 0
        for batch in self._index.update(todo):
            done += len(batch)
            indexed += sum(one.problem is None for one in batch)
            failed |= {inventory.names[one.key]: one.problem for one in batch if one.problem}
            if progress is not None:
                progress(done, len(todo))
        before = self._index.failures(key for key in inventory.states if key not in tried)
        failed |= {inventory.names[key]: message for key, message in before.items()}
        kept = len(inventory.states) - len(todo) - len(before)
        return Indexed(indexed, kept, len(inventory.gone), failed)

    def search(
        self,
        picture: ImageLike | NDArray[np.float32] | None = None,
        *,
        text: str | None = None,
        limit: int = 10,
        min_similarity: float = 0.0,
        folder: Where | None = None,
    ) -> list[Hit]:
        """The pictures that are most like one, or like words, the best first.

        Similarities to words are far lower than those between pictures: only their order counts.

        Args:
            picture: a path, a file's bytes, a Pillow image, an array of samples (see `Encoder.embed`), or a
                vector float32 [512].
            text: what the pictures show, in place of a picture, where the model has a text tower.
            limit: of them, at least 1.
            min_similarity: of each, 0 to 1.
            folder: only those in it.

        Raises:
            ValueError: `limit` or `min_similarity` is out of its range, or the vector is not [512].
            UnreadableImage, OSError, TypeError, ValueError: see `Encoder.embed` and `Encoder.embed_text`.
        """
        if limit < 1:
            raise ValueError(f"limit is {limit}, expected 1 or more")
        if not 0 <= min_similarity <= 1:
            raise ValueError(f"min_similarity is {min_similarity}, expected 0 to 1")
        if text is not None:
            if picture is not None:
                raise TypeError("search takes a picture or a text, not both")
            vector = self._encoder.embed_text(text)
        elif picture is not None:
            vector = self._vector(picture)
        else:
            raise TypeError("search takes a picture or a text")
        prefix = prefix_of(os.path.realpath(folder)) if folder is not None else ""
        matches = self._index.search(vector, limit, prefix, self._index.away)
        return [
            Hit(Path(path_of(one.entry.key)), one.similarity, one.entry.size, one.entry.modified)
            for one in matches
            if one.similarity >= min_similarity
        ]

    def vector(self, path: Where) -> NDArray[np.float32] | None:
        """The vector float32 [512] of a file that is indexed as it is now; None where it is not."""
        return self._index.vector(key_of(os.path.realpath(path)))

    def forget(self, pictures: Where) -> int:
        """Remove a folder's pictures, or a file, and follow the folder no longer; how many there were."""
        return self._index.forget(os.fspath(pictures))

    def _vector(self, picture: ImageLike | NDArray[np.float32]) -> NDArray[np.float32]:
        if isinstance(picture, np.ndarray) and picture.ndim == 1:
            if picture.shape != (DIMENSIONS,):
                raise ValueError(f"the vector is {list(picture.shape)}, expected [{DIMENSIONS}]")
            return picture.astype(np.float32)
        if isinstance(picture, str | os.PathLike):
            known = self.vector(picture)
            if known is not None:
                return known
        first: NDArray[np.float32] = self._encoder.embed(picture)[0]
        return first
