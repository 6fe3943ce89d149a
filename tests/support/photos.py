"""Photographs that come with scikit-image. Its own reader imports SciPy: half a second in every process."""

from functools import cache
from pathlib import Path

import numpy as np
import skimage
from numpy.typing import NDArray
from PIL import Image

FOLDER = Path(skimage.__file__).parent / "data"


@cache
def samples(name: str) -> NDArray[np.uint8]:
    """A photograph as uint8 [h, w, 3] or [h, w], read-only: chelsea (a cat), coffee, astronaut, ..."""
    (path,) = FOLDER.glob(f"{name}.*")
    with Image.open(path) as file:
        array = np.asarray(file)
    array.flags.writeable = False
    return array


def photo(name: str) -> Image.Image:
    """The same as a picture of its own."""
    return Image.fromarray(samples(name))
