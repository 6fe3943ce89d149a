"""The square that the model sees, against torchvision's steps; and JPEG's reduced decoding."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from image_similarity.inference.image import decode, resample
from image_similarity.inference.manifest import Interpolation, Preprocessing, ResizeMode
from tests.support import files
from tests.support.photos import photo
from tests.unit.inference.image.test_formats import EXACT, ROUNDED, furthest

IN_FULL = replace(files.PREPROCESSING, draft_factor=0)
PHOTO = photo("astronaut")
SIZES = [
    (512, 512),
    (448, 300),
    (300, 448),
    (224, 224),
    (225, 224),
    (224, 227),
    (97, 61),
    (1, 1),
    (3, 4),
    (1000, 31),
]


@pytest.fixture
def pillow_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on processors that the shrinking library has no wheel for; `test_resample` has the others."""
    monkeypatch.setattr(resample, "AVAILABLE", False)


@pytest.mark.parametrize("size", SIZES)
def test_every_size_gives_the_reference_square(size: tuple[int, int]) -> None:
    picture = PHOTO.resize(size)
    assert furthest(files.saved(picture, "PNG"), files.reference(picture)) <= ROUNDED


@pytest.mark.usefixtures("pillow_alone")
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("mode", ["shortest", "squash"])
@pytest.mark.parametrize("side", [224, 256, 100])
def test_preprocessing_is_the_manifests(interpolation: Interpolation, mode: ResizeMode, side: int) -> None:
    preprocessing = Preprocessing(size=side, interpolation=interpolation, resize_mode=mode)
    picture = PHOTO.resize((500, 333))
    found = decode(files.saved(picture, "PNG"), preprocessing=preprocessing)
    wanted = files.reference(picture, preprocessing)
    assert found.shape == wanted.shape == (side, side, 3)
    assert np.abs(found.astype(int) - wanted).max() <= EXACT


@pytest.mark.slow
@pytest.mark.parametrize("size", [(4096, 1), (1, 4096), (4096, 2), (4096, 31), (4096, 4096)])
def test_the_longest_side_may_have_4096_pixels(size: tuple[int, int]) -> None:
    found = decode(files.saved(Image.new("RGB", size, (1, 2, 3)), "PNG"), preprocessing=files.PREPROCESSING)
    assert np.all(found == (1, 2, 3))


def large_jpeg() -> bytes:
    """4000 x 3000 with detail at every scale."""
    return files.saved(photo("hubble_deep_field").resize((4000, 3000)), "JPEG", quality=92)


@pytest.mark.slow
@pytest.mark.usefixtures("pillow_alone")
def test_reduced_decoding_stays_near_the_full_one() -> None:
    data = large_jpeg()
    reduced = decode(data, preprocessing=files.PREPROCESSING).astype(int)
    full = decode(data, preprocessing=IN_FULL).astype(int)
    assert np.array_equal(full, files.reference(Image.open(io.BytesIO(data))))
    assert 0 < np.abs(full - reduced).mean() < 0.5  # it was reduced, and hardly shows


@pytest.mark.usefixtures("pillow_alone")
@pytest.mark.parametrize(("factor", "reduced"), [(0, False), (4, False), (3, True)])
def test_the_manifest_says_from_which_size_on_decoding_is_reduced(factor: int, reduced: bool) -> None:
    data = files.saved(PHOTO.resize((2048, 1536)), "JPEG", quality=96)
    found = decode(data, preprocessing=replace(files.PREPROCESSING, draft_factor=factor))
    assert np.array_equal(found, files.reference(Image.open(io.BytesIO(data)))) is not reduced


@pytest.mark.slow
def test_reduced_decoding_of_a_turned_picture_cuts_the_same_square() -> None:
    data = files.with_segments(large_jpeg(), files.segment(0xE1, b"Exif\0\0" + files.exif_block(6)))
    reduced = decode(data, preprocessing=files.PREPROCESSING).astype(int)
    full = decode(data, preprocessing=IN_FULL).astype(int)
    assert np.abs(full - reduced).mean() < 0.5
