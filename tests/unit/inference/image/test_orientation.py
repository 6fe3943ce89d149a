"""Exif orientations of JPEG and PNG, against Pillow's own turning of the full picture."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageOps

from image_similarity.inference.image import exif, geometry
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


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize(("kind", "layout"), [(3, "H2x"), (4, "I"), (8, "h2x"), (9, "i")])
def test_a_whole_number_of_any_type_turns(kind: int, layout: str, order: str) -> None:
    block = files.exif_block(6, order=order)
    block = block[:12] + struct.pack(f"{order}HI{layout}", kind, 1, 6) + block[-4:]
    assert exif.orientation(block) == 6
    assert exif.orientation(exif.PREFIX + block) == 6


@pytest.mark.parametrize(("kind", "count"), [(1, 1), (2, 1), (5, 1), (7, 1), (3, 2), (3, 0), (99, 1)])
def test_other_types_and_counts_turn_nothing(kind: int, count: int) -> None:
    block = files.exif_block(6)
    block = block[:12] + struct.pack(">HIHH", kind, count, 6, 0) + block[-4:]
    assert exif.orientation(block) == 1


def test_the_directory_may_stand_anywhere_and_other_tags_before() -> None:
    entries = struct.pack("<HHHII", 2, 0x100, 4, 1, 77) + struct.pack("<HHIHH", 0x112, 3, 1, 8, 0)
    for distance in (9, 1001):
        assert exif.orientation(b"II*\0" + struct.pack("<I", distance) + bytes(distance - 8) + entries) == 8
    assert exif.orientation(b"II*\0" + struct.pack("<I", 4_000_000_000) + entries) == 1


TEXT = files.chunk(b"tEXt", b"Raw profile type exif\0\nexif\n      32\n" + files.exif_block(6).hex().encode())


def test_texts_and_late_chunks_of_a_png_turn_nothing() -> None:
    """As browsers and libvips have it; Pillow reads both."""
    data = files.png(PHOTO, files.RGB, before_pixels=[TEXT])
    late = data[:-12] + files.chunk(b"eXIf", files.exif_block(6)) + data[-12:]
    for file in (data, late):
        assert np.array_equal(decoded(file), decoded(files.png(PHOTO, files.RGB)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_libjpeg_adds_when_it_scales_is_left_out_wherever_it_is_turned_to(orientation: int) -> None:
    """Of 801 x 601 pixels an eighth is 101 x 76: the last column and row are an eighth of a pixel."""
    spare = Image.new("L", (101, 76))
    spare.paste(1, (100, 0, 101, 76))
    spare.paste(1, (0, 75, 101, 76))
    spare.getexif()[0x0112] = orientation
    turned = np.asarray(ImageOps.exif_transpose(spare))
    left, top, right, bottom = geometry._content(Image.new("L", (101, 76)), (801, 601), orientation)
    assert (left > 0) == bool(turned[:, 0].all())
    assert (top > 0) == bool(turned[0].all())
    assert (right < turned.shape[1]) == bool(turned[:, -1].all())
    assert (bottom < turned.shape[0]) == bool(turned[-1].all())
    assert {right - left, bottom - top} == {100.125, 75.125}
