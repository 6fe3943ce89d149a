"""Decoding gives, to the last bit, the pixels that open_clip's evaluation transform makes with Pillow alone.

`test_resample.py` has the pictures that are shrunk by another library, where there is one.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.measure.altered import png
from bench.measure.paths import PHOTOGRAPHS
from image_similarity.inference.image import decode, resample
from image_similarity.inference.manifest import Interpolation, Preprocessing

FILES = sorted(PHOTOGRAPHS.glob("*.jpg"))
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


@pytest.fixture(autouse=True)
def pillow_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resample, "AVAILABLE", False)


def torchvision(picture: Image.Image, pre: Preprocessing) -> np.ndarray:
    """Resize and CenterCrop as torchvision 0.28 does them on a Pillow picture."""
    size, (w, h) = pre.size, picture.size
    if pre.resize_mode == "squash":
        return np.asarray(picture.resize((size, size), FILTERS[pre.interpolation]))
    new = (size, int(size * h / w)) if w <= h else (int(size * w / h), size)
    resized = picture.resize(new, FILTERS[pre.interpolation])
    left, top = round((new[0] - size) / 2.0), round((new[1] - size) / 2.0)
    return np.asarray(resized.crop((left, top, left + size, top + size)))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [224, 256])
def test_photographs(file: Path, interpolation: Interpolation, size: int) -> None:
    pre = Preprocessing(size=size, interpolation=interpolation)
    with Image.open(file) as picture:
        expected = torchvision(picture, pre)
    np.testing.assert_array_equal(decode(file.read_bytes(), preprocessing=pre), expected)


def test_squashed() -> None:
    pre = Preprocessing(size=224, resize_mode="squash")
    with Image.open(FILES[0]) as picture:
        expected = torchvision(picture, pre)
    np.testing.assert_array_equal(decode(FILES[0].read_bytes(), preprocessing=pre), expected)


@pytest.mark.parametrize("size", [(224, 224), (225, 224), (223, 880), (100, 37), (1, 1), (640, 480)])
def test_sizes(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    picture, pre = Image.fromarray(noise), Preprocessing(size=224)
    found = decode(png(picture), preprocessing=pre)
    np.testing.assert_array_equal(found, torchvision(picture, pre))


def test_a_very_long_picture_differs_by_rounding_only() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (40, 4000, 3), dtype=np.uint8)
    picture, pre = Image.fromarray(noise), Preprocessing(size=224)
    found = decode(png(picture), preprocessing=pre).astype(int)
    assert np.abs(found - torchvision(picture, pre)).max() <= 2
