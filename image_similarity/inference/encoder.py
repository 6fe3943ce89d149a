"""Pictures to unit vectors, on ONNX Runtime."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, cast

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.manifest import MODEL_FILE, Manifest, ManifestError
from image_similarity.inference.sessions import Chain, open_chain


class Encoder(Protocol):
    """What the service needs of an encoder."""

    @property
    def manifest(self) -> Manifest:
        """The artifact's description; its preprocessing says how to make the input."""

    @property
    def name(self) -> str:
        """Model and weights, as in the X-Model header."""

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """RGB pictures uint8 [n, S, S, 3] to unit vectors float32 [n, 512]."""


class OnnxEncoder:
    """An exported artifact, loaded. Thread-safe.

    Args:
        model_dir: directory with model.onnx, model.onnx.data and manifest.json, as export/ makes it.
        threads: cores that one call of `encode` may use, at least 1.

    Raises:
        ManifestError: a file is missing, does not match the manifest, or can't be loaded.
    """

    def __init__(self, model_dir: Path, *, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"threads is {threads}, expected 1 or more")
        self._manifest = Manifest.load(model_dir)
        # Both are slow and release the GIL: on two cores they overlap, and the file is read from disk once.
        with ThreadPoolExecutor(max_workers=1) as pool:
            verified = pool.submit(self._manifest.verify, model_dir)
            try:
                chain = open_chain(model_dir, self._manifest, threads)
            finally:
                verified.result()  # for a damaged file, this message says more than the session's
        _check_input(chain, self._manifest.preprocessing.size)
        self._chain = chain

    @property
    def manifest(self) -> Manifest:
        """The artifact's description."""
        return self._manifest

    @property
    def name(self) -> str:
        """Model and weights, as in the X-Model header."""
        return self._manifest.name

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """RGB pictures uint8 [n, S, S, 3] to unit vectors float32 [n, 512]; the graph normalises them."""
        size = self._manifest.preprocessing.size
        if batch.dtype != np.uint8 or batch.ndim != 4 or batch.shape[1:] != (size, size, 3):
            raise ValueError(f"batch is {batch.dtype} {batch.shape}, expected uint8 [n, {size}, {size}, 3]")
        # 8-bit products scale their input by its largest value: in a batch, that of another picture.
        parts = np.split(batch, len(batch)) if self._manifest.precision == "int8" and len(batch) else [batch]
        vectors = [self._chain.run(part) for part in parts]
        return cast(NDArray[np.float32], vectors[0] if len(vectors) == 1 else np.concatenate(vectors))

    def warm(self) -> None:
        """Make one embedding, so that the first request finds memory and threads ready."""
        size = self._manifest.preprocessing.size
        self.encode(np.full((1, size, size, 3), 128, dtype=np.uint8))


def _check_input(chain: Chain, size: int) -> None:
    """Raises ManifestError where the graph's input has other sides: no checksum covers the manifest itself.

    A start that makes no embedding would succeed otherwise, and every request fail.
    """
    sides = chain.input_shape[1:3]
    if any(isinstance(side, int) and side != size for side in sides):  # text: any size
        raise ManifestError(
            f"preprocessing.size is {size}, but {MODEL_FILE} takes pictures of {sides}: "
            "export the model again"
        )
