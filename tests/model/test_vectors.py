"""A picture in another layout of samples has the vector of its plain RGB twin."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray
from PIL import Image

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from tests.support import files

MODEL = Path(__file__).parents[2] / "image_similarity" / "models" / "embedded"
PHOTOS = {name: getattr(skimage.data, name)() for name in ("chelsea", "astronaut", "coffee")}
CORNER = 64  # pixels of a corner that the transparent variants hide


def hidden(samples: NDArray[np.uint8], under: int = 255) -> NDArray[np.uint8]:
    """The twin of a picture with a transparent corner: the corner is white."""
    twin = samples.copy()
    twin[:CORNER, :CORNER] = under
    return twin


def rgba(samples: NDArray[np.uint8], depth: int = 8) -> bytes:
    alpha = np.full(samples.shape[:2], 255, np.uint8)
    alpha[:CORNER, :CORNER] = 0
    picture = np.dstack([hidden(samples, 0), alpha]).astype(np.uint16)
    return files.png(picture * 257 if depth == 16 else picture, files.RGBA, depth)


def turned(samples: NDArray[np.uint8], orientation: int) -> bytes:
    stored = np.rot90(samples, {3: 2, 6: 1, 8: 3}[orientation])
    block = files.chunk(b"eXIf", files.exif_block(orientation))
    return files.png(np.ascontiguousarray(stored), files.RGB, before_pixels=[block])


def quantized(samples: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(samples).quantize(256)


def with_palette(kind: str) -> Callable[[NDArray[np.uint8]], bytes]:
    return lambda samples: files.saved(quantized(samples), kind)


def of_palette(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(quantized(samples).convert("RGB"))


def grey_of_16_bits(samples: NDArray[np.uint8]) -> bytes:
    return files.png(grey(samples).astype(np.uint16) * 257, files.GREY, 16)


def cmyk(samples: NDArray[np.uint8]) -> bytes:
    return files.saved(Image.fromarray(samples).convert("CMYK"), "JPEG", quality=98)


def multi_picture(samples: NDArray[np.uint8]) -> bytes:
    others = [Image.new("RGB", (9, 9))]
    return files.saved(Image.fromarray(samples), "MPO", save_all=True, append_images=others, quality=98)


Vector = Callable[[bytes], NDArray[np.float32]]
Variant = tuple[Callable[[NDArray[np.uint8]], bytes], Callable[[NDArray[np.uint8]], NDArray[np.uint8]], float]


def plain(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return samples


def grey(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(samples).convert("L"))


def jpeg(**options: object) -> Callable[[NDArray[np.uint8]], bytes]:
    return lambda samples: files.saved(Image.fromarray(samples), "JPEG", quality=98, subsampling=0, **options)


EXACT, LOSSY = 0.9999, 0.998  # what JPEG at quality 98 alters; its own plain twin would be the same file
VARIANTS: dict[str, Variant] = {
    "PNG, 16 bit": (lambda s: files.png(s.astype(np.uint16) * 257, files.RGB, 16), plain, EXACT),
    "PNG, grey of 16 bit": (grey_of_16_bits, grey, EXACT),
    "PNG, interlaced": (lambda s: files.png(s, files.RGB, interlaced=True), plain, EXACT),
    "PNG, palette": (with_palette("PNG"), of_palette, EXACT),
    "PNG, alpha": (rgba, hidden, EXACT),
    "PNG, alpha of 16 bit": (lambda s: rgba(s, 16), hidden, EXACT),
    "PNG, turned by 180": (lambda s: turned(s, 3), plain, EXACT),
    "PNG, turned by 90": (lambda s: turned(s, 6), plain, EXACT),
    "PNG, turned by 270": (lambda s: turned(s, 8), plain, EXACT),
    "BMP, 24 bit": (lambda s: files.saved(Image.fromarray(s), "BMP"), plain, EXACT),
    "BMP, palette": (with_palette("BMP"), of_palette, EXACT),
    "JPEG": (jpeg(), plain, LOSSY),
    "JPEG, progressive": (jpeg(progressive=True), plain, LOSSY),
    "JPEG, CMYK": (cmyk, plain, LOSSY),
    "JPEG, multi-picture": (multi_picture, plain, LOSSY),
}


@pytest.fixture(scope="module")
def vector() -> Vector:
    encoder = OnnxEncoder(MODEL, threads=1)
    preprocessing = encoder.manifest.preprocessing
    return lambda data: encoder.encode(decode(data, preprocessing=preprocessing)[np.newaxis])[0]


@pytest.mark.parametrize("name", VARIANTS)
def test_twins(name: str, vector: Vector) -> None:
    make, twin, least = VARIANTS[name]
    cosines = []
    for samples in PHOTOS.values():
        reference = files.saved(Image.fromarray(twin(samples)).convert("RGB"), "PNG")
        cosines.append(float(vector(make(samples)) @ vector(reference)))
    print(f"{name:24} least cosine {min(cosines):.6f}")
    assert min(cosines) >= least


def test_jpeg_loses_by_its_file_and_not_by_our_reading(
    vector: Vector,
) -> None:
    for samples in PHOTOS.values():
        data = jpeg(progressive=True)(samples)
        twin = files.saved(Image.open(io.BytesIO(data)).convert("RGB"), "PNG")
        assert float(vector(data) @ vector(twin)) >= EXACT
