"""Exif orientations of JPEG and PNG, against Pillow's own turning of the full picture."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.support import files
from tests.unit.inference.image.test_formats import EXACT, PHOTO, decoded, furthest


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_orientation(kind: str, orientation: int, order: str) -> None:
    block = files.exif_block(orientation, order=order)
    picture = Image.fromarray(PHOTO)
    if kind == "PNG":
        data = files.png(PHOTO, files.RGB, before_pixels=[files.chunk(b"eXIf", block)])
    else:
        data = files.saved(picture, "JPEG", quality=95)
        data = files.with_segments(data, files.segment(0xE1, b"Exif\0\0" + block))
        picture = Image.open(io.BytesIO(data))
        picture.load()
    picture.getexif()[0x0112] = orientation
    assert furthest(data, files.reference(ImageOps.exif_transpose(picture).convert("RGB"))) <= EXACT


def test_an_orientation_that_makes_no_sense_is_none() -> None:
    plain = files.saved(Image.fromarray(PHOTO), "JPEG")
    for block in (files.exif_block(9), files.exif_block(0), b"MM\0*\0\0", b"", b"II*\0\xff\xff\xff\xff"):
        data = files.with_segments(plain, files.segment(0xE1, b"Exif\0\0" + block))
        assert np.array_equal(decoded(data), decoded(plain))
