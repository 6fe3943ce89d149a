"""The bytes that a PNG's pixels need, against files of every small size."""

import zlib
from itertools import product

import numpy as np
import pytest

from image_similarity.inference.image import png_rows
from tests.support import files


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(
    ("colour", "samples", "depth"), [(files.GREY, 1, 1), (files.GREY, 1, 8), (files.RGB, 3, 16)]
)
def test_every_small_size(colour: int, samples: int, depth: int, *, interlaced: bool) -> None:
    for width, height in product((*range(1, 10), 12, 13, 16, 17), repeat=2):
        data = files.png(np.zeros((height, width, samples), np.uint16), colour, depth, interlaced=interlaced)
        rows = zlib.decompress(data[data.index(b"IDAT") + 4 :])
        needed = png_rows.size(width, height, samples * depth, interlaced=interlaced)
        assert needed == len(rows), (width, height)
