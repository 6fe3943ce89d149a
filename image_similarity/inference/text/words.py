"""A model's text tower, if it has one, loaded when the first text comes."""

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.errors import InvalidRequest
from image_similarity.inference.manifest import MANIFEST_FILE, Manifest, ManifestError

if TYPE_CHECKING:
    from image_similarity.inference.text.tower import TextTower

State = tuple[tuple[str, int, int], ...]
FOLDER = "text"
"""In the artifact's folder; absent if the model has no text tower."""


class Words:
    """Makes vectors of texts. Nothing is imported and no file is opened before the first one.

    Args:
        model_dir: the artifact's folder, see `OnnxEncoder`.
        images: the manifest of the encoder in it.
        threads: cores that one text may use, at least 1.
    """

    def __init__(self, model_dir: Path, images: Manifest, *, threads: int) -> None:
        self._folder, self._images, self._threads = model_dir / FOLDER, images, threads
        self._tower: TextTower | None = None
        self._unusable: tuple[State, str] | None = None
        self._lock = threading.Lock()

    @property
    def available(self) -> bool:
        """Whether the model has a text tower."""
        return self._tower is not None or (self._folder / MANIFEST_FILE).is_file()

    def encode(self, text: str) -> NDArray[np.float32]:
        """The unit vector float32 [512] of a text, to be compared with those of pictures alone.

        Raises:
            InvalidRequest: the model has no text tower, or see `TextTower.encode`.
            ManifestError: the tower's files can't be used. They are read again once one of them has changed.
        """
        if not self.available:
            raise InvalidRequest(
                f"the model {self._images.name} has no text tower, so pictures can't be searched by words; "
                "search by a picture."
            )
        return self._loaded().encode(text)

    def _loaded(self) -> "TextTower":
        with self._lock:
            if self._tower is None:
                state = self._state()
                if self._unusable and self._unusable[0] == state:
                    raise ManifestError(self._unusable[1])
                try:
                    self._tower = self._load()
                except ManifestError as error:
                    self._unusable = state, str(error)
                    raise
            return self._tower

    def _load(self) -> "TextTower":
        from image_similarity.inference.text.tower import TextTower

        return TextTower(self._folder, self._images, threads=self._threads)

    def _state(self) -> State:
        """Names, times and sizes of the tower's files."""
        with os.scandir(self._folder) as files:
            stats = [(file.name, file.stat()) for file in files]
        return tuple(sorted((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))
