"""Shrinking with SIMD gives Pillow's pixels, but for a step of 255 in a few of them."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from image_similarity.inference.image import decode, resample
from tests.support import files
from tests.support.photos import photo

pytestmark = pytest.mark.skipif(not resample.AVAILABLE, reason="the library has no wheel for this processor")
IN_FULL = replace(files.PREPROCESSING, draft_factor=0)
PHOTO = photo("astronaut")
SHARP = Image.fromarray(np.random.default_rng(3).integers(0, 256, (600, 800, 3), dtype=np.uint8))
SHRUNK = [(2048, 1536), (1536, 2048), (449, 449), (890, 448), (448, 890), (4000, 2250), (1001, 999)]
FEW = 0.01


def near(found: NDArray[np.uint8], wanted: NDArray[np.uint8]) -> None:
    steps = np.abs(found.astype(int) - wanted)
    assert steps.max() <= 1
    assert np.mean(steps > 0) < FEW


def upright(picture: Image.Image, **changes: object) -> NDArray[np.uint8]:
    preprocessing = replace(IN_FULL, **changes)  # type: ignore[arg-type]
    return decode(files.saved(picture, "BMP"), preprocessing=preprocessing)


@pytest.mark.slow
@pytest.mark.parametrize("size", SHRUNK)
def test_large_pictures_are_shrunk_to_pillows_pixels(size: tuple[int, int]) -> None:
    picture = PHOTO.resize(size)
    scaled = (224 * size[0] // min(size), 224 * size[1] // min(size))
    assert resample.serves(picture, scaled)
    near(upright(picture), files.reference(picture))


@pytest.mark.slow
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("mode", ["shortest", "squash"])
@pytest.mark.parametrize("picture", [PHOTO, SHARP], ids=["photo", "noise"])
def test_every_preprocessing(interpolation: str, mode: str, picture: Image.Image) -> None:
    picture = picture.resize((1600, 1100))
    found = upright(picture, interpolation=interpolation, resize_mode=mode)
    near(found, files.reference(picture, replace(IN_FULL, interpolation=interpolation, resize_mode=mode)))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_modes(mode: str) -> None:
    picture = PHOTO.resize((1400, 1000)).convert(mode)
    data = files.saved(picture, "JPEG", quality=95)
    stored = Image.open(io.BytesIO(data))
    near(decode(data, preprocessing=IN_FULL), files.reference(stored))


@pytest.mark.parametrize("size", [(440, 440), (900, 2000), (2000, 900), (600, 445)])
def test_others_are_left_to_pillow(size: tuple[int, int]) -> None:
    picture = PHOTO.resize(size)
    scaled = (224 * size[0] // min(size), 224 * size[1] // min(size))
    assert not resample.serves(picture, scaled)
    assert np.array_equal(upright(picture), files.reference(picture))


@pytest.mark.parametrize(("size", "scaled"), [((420, 700), (224, 224)), ((700, 420), (224, 224))])
def test_each_side_has_to_shrink(size: tuple[int, int], scaled: tuple[int, int]) -> None:
    assert not resample.serves(Image.new("RGB", size), scaled)


@pytest.mark.slow
def test_without_the_library_pillow_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "AVAILABLE", False)
    picture = PHOTO.resize((2048, 1536))
    assert np.array_equal(upright(picture), files.reference(picture))


@pytest.mark.slow
def test_many_threads_get_the_same_pixels() -> None:
    pictures = [PHOTO.resize((1200 + 40 * number, 1000)) for number in range(8)] * 4
    alone = [upright(picture) for picture in pictures]
    with ThreadPoolExecutor(8) as pool:
        assert all(map(np.array_equal, pool.map(upright, pictures), alone))
