"""An encoder that is not loaded before there is something to encode."""

import threading
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.loading import load
from image_similarity.inference.manifest import Manifest


class DeferredEncoder:
    """See `Encoder`. Its manifest is read at once, so what it made before is known without it.

    Args:
        model_dir: as of `OnnxEncoder`.
        threads: cores of one call of `encode`; an index calls it from several threads.

    Raises:
        ManifestError: there is no model, or none that can be used; of the weights, at the first `encode`.
    """

    def __init__(self, model_dir: Path, threads: int = 1) -> None:
        self.manifest = Manifest.load(model_dir)
        self._model_dir, self._threads = model_dir, threads
        self._encoder: OnnxEncoder | None = None
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Model and weights, as in the X-Model header."""
        return self.manifest.name

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Encoder.encode`."""
        return self.load().encode(batch)

    def load(self) -> OnnxEncoder:
        """The encoder, which is loaded now where it was not."""
        with self._lock:
            if self._encoder is None:
                self._encoder = load(self._model_dir, threads=self._threads)
            return self._encoder
