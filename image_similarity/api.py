"""The functions and classes that `import image_similarity` exports."""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from image_similarity.alike import Pair, alike_rows
from image_similarity.folders.listing import distinct, image_files
from image_similarity.inference import similarity as scores
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.errors import ApiError, InvalidRequest
from image_similarity.inference.image import decode
from image_similarity.inference.image.colour import flatten
from image_similarity.inference.image.exif import UPRIGHT
from image_similarity.inference.image.geometry import TURNS, upright_square
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from image_similarity.inference.manifest import DIMENSIONS
from image_similarity.inference.text.words import Words
from image_similarity.thresholds import choose

ImageLike = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, a file's bytes, a Pillow image, or uint8 samples [h, w], [h, w, 3] (RGB) or [h, w, 4] (RGBA)."""
BATCH = 16
ORIENTATION_TAG = 0x0112


class UnreadableImage(ValueError):
    """An image that can't be decoded; the message names it and says why."""


class Encoder:
    """Makes vectors with one model, which is loaded once. Any number of threads may call it.

    Vectors of different models can't be compared: keep `name` beside those that you store.
    """

    def __init__(self, model: str | os.PathLike[str] | None = None, *, threads: int | None = None) -> None:
        """Load a model.

        Args:
            model: a folder that the exporter wrote; none: the small model that comes with the package.
            threads: cores to use, at least 1; none: all of them.

        Raises:
            image_similarity.inference.manifest.ManifestError: the folder has no model, or a damaged one.
        """
        self._threads = threads if threads is not None else os.cpu_count() or 1
        folder = DEFAULT_MODEL_DIR if model is None else Path(model)
        self._encoder = OnnxEncoder(folder, threads=self._threads)
        self._words = Words(folder, self._encoder.manifest, threads=self._threads)

    @property
    def name(self) -> str:
        """Model and weights, as in the API's X-Model header."""
        return self._encoder.name

    @property
    def model(self) -> OnnxEncoder:
        """The loaded model itself: an index also needs its description."""
        return self._encoder

    def embed(self, images: ImageLike | Iterable[ImageLike]) -> NDArray[np.float32]:
        """Make the vectors of images.

        Args:
            images: one image or any number of them, see `ImageLike`; an array [n, h, w, 3] counts as n. They
                are taken one batch at a time, so a generator may give more than fit into memory.

        Returns:
            float32 [n, 512], in order, of length 1; an image's vector does not depend on its batch.

        Raises:
            UnreadableImage: an image is broken, of another format or over 200 million pixels (files only).
            OSError: a file can't be read.
            TypeError, ValueError: something is no image, or an array of other samples or dimensions.
        """
        rest = enumerate(_each(images))
        vectors = [np.empty((0, DIMENSIONS), dtype=np.float32)]
        with ThreadPoolExecutor(self._threads) as pool:
            while batch := list(islice(rest, BATCH)):
                squares = list(pool.map(lambda numbered: self._square(*numbered), batch))
                vectors.append(self._encoder.encode(np.stack(squares)))
        return np.concatenate(vectors)

    def embed_text(self, text: str) -> NDArray[np.float32]:
        """The vector float32 [512] of words, of length 1, to be compared with those of pictures.

        Its similarity to a picture that shows what they say is far lower than that of two alike pictures.

        Raises:
            ValueError: the model has no text tower (`embedded` has none), or the text has nothing to read or
            more tokens than the model takes.
            image_similarity.inference.manifest.ManifestError: the text tower is damaged.
        """
        try:
            return self._words.encode(text)
        except InvalidRequest as error:
            raise ValueError(error.message) from error

    def _square(self, index: int, image: ImageLike) -> NDArray[np.uint8]:
        preprocessing = self._encoder.manifest.preprocessing
        if isinstance(image, np.ndarray):
            image = Image.fromarray(_samples(image, index))
        if isinstance(image, Image.Image):
            stated = image.getexif().get(ORIENTATION_TAG)
            orientation = stated if stated in TURNS else UPRIGHT
            square = upright_square(flatten(image), image.size, orientation, preprocessing)
            return np.asarray(square.convert("RGB"), dtype=np.uint8)
        named, data = (f"image {index}", image) if isinstance(image, bytes) else _file(image, index)
        try:
            return decode(data, preprocessing=preprocessing, max_side=None)
        except ApiError as error:
            raise UnreadableImage(f"{named}: {error.message}") from error


def similarity(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """How alike two images are by their vectors [512]: (1 + cosine) / 2, from 0 to 1.

    Equal vectors give exactly 1. This is the API's `similarity`, unrounded.

    Raises:
        ValueError: not two vectors of one length.
    """
    a, b = np.asarray(first), np.asarray(second)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"similarity takes two vectors [512], found {list(a.shape)} and {list(b.shape)}")
    return scores.score(a, b)


def compare(first: ImageLike, second: ImageLike, *, encoder: Encoder | None = None) -> float:
    """How alike two images are, from 0 to 1; see `similarity`, and `Encoder.embed` for what is raised.

    Args:
        first: a path, bytes, a Pillow image or an array.
        second: the same.
        encoder: none: the model that comes with the package.
    """
    vectors = (encoder or _bundled()).embed([first, second])
    return similarity(vectors[0], vectors[1])


@overload
def pairs(
    images: str | os.PathLike[str], threshold: float | None = ..., *, encoder: Encoder | None = ...
) -> list[Pair[Path]]: ...
@overload
def pairs(
    images: NDArray[np.float32], threshold: float | None = ..., *, encoder: Encoder | None = ...
) -> list[Pair[int]]: ...
def pairs(
    images: str | os.PathLike[str] | NDArray[np.float32],
    threshold: float | None = None,
    *,
    encoder: Encoder | None = None,
) -> list[Pair[Path]] | list[Pair[int]]:
    """Find all pairs whose similarity reaches a threshold, the most similar first.

    Args:
        images: a folder, whose JPEG, PNG, BMP and WebP files are read (subfolders too; links to files within
            it, and further names of one file, are not its duplicates), or vectors [n, 512].
        threshold: the least similarity, 0 to 1; none: that of copies by the calibration of the model, as the
            command `pairs` has it (0.91 for the one that comes with the package), and 0.95 for models without
            one and for vectors without their `encoder`.
        encoder: makes the vectors of a folder's files; none: the model that comes with the package. For
            vectors: the one that made them.

    Raises:
        NotADirectoryError: there is no such folder.
        UnreadableImage, OSError: see `Encoder.embed`.
        ValueError: the threshold is not from 0 to 1, or the array is not [n, 512].
    """
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}, expected 0 to 1")
    if isinstance(images, np.ndarray):
        return alike_rows(images, choose(encoder.name if encoder else "", threshold, None).value)
    folder = Path(images)
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    files, _ = distinct(image_files(folder))
    encoder = encoder or _bundled()
    rows = alike_rows(encoder.embed(files), choose(encoder.name, threshold, None).value)
    return [Pair(files[row.first], files[row.second], row.similarity) for row in rows]


@cache
def _bundled() -> Encoder:
    return Encoder()


def _each(images: ImageLike | Iterable[ImageLike]) -> Iterator[ImageLike]:
    """The images one by one, where there is only one too."""
    single = isinstance(images, str | os.PathLike | bytes | Image.Image)
    if single or (isinstance(images, np.ndarray) and images.ndim != 4):
        return iter([images])  # type: ignore[list-item]
    return iter(images)  # type: ignore[arg-type]


def _samples(array: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    if array.dtype != np.uint8 or not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ValueError(
            f"image {index} is {array.dtype} {list(array.shape)}, "
            "expected uint8 [h, w], [h, w, 3] or [h, w, 4]"
        )
    return np.ascontiguousarray(array)


def _file(image: str | os.PathLike[str], index: int) -> tuple[str, bytes]:
    if not isinstance(image, str | os.PathLike):
        raise TypeError(
            f"image {index} is {type(image).__name__}, expected a path, bytes, a Pillow image or an array"
        )
    path = Path(image)
    return str(path), path.read_bytes()
