"""Every layout of samples that the formats know gives the pixels of its plain RGB twin."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from image_similarity.inference.image import decode
from tests.support import files
from tests.support.photos import samples

PHOTO = samples("chelsea")[:, 3:]  # [300, 448, 3]
GREY = PHOTO[..., 1]
RAMP = np.linspace(0, 255, PHOTO.shape[1]).astype(np.uint8)
ALPHA = np.broadcast_to(RAMP, PHOTO.shape[:2])
INDICES = (GREY >> 4).astype(np.uint8)  # 16 colours
COLOURS = np.random.default_rng(7).integers(0, 256, (16, 3), dtype=np.uint8)
# One file of each accepted format.
PICTURES = {kind: files.saved(Image.fromarray(PHOTO), kind) for kind in ("JPEG", "PNG", "BMP", "WEBP")}
# Largest difference accepted, in levels of 255; what JPEG loses is judged by its mean.
EXACT, ROUNDED, LOSSY = 0, 2, 2.5


def decoded(data: bytes) -> NDArray[np.uint8]:
    return decode(data, preprocessing=files.PREPROCESSING)


def twin(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """What the plain RGB picture of these samples gives."""
    return files.reference(Image.fromarray(samples).convert("RGB"))


def furthest(data: bytes, wanted: NDArray[np.uint8]) -> int:
    """The largest difference of any pixel, in levels."""
    found = decoded(data)
    assert found.shape == (files.SIZE, files.SIZE, 3)
    return int(np.abs(found.astype(int) - wanted.astype(int)).max())


def close(data: bytes, samples: NDArray[np.uint8], levels: float) -> None:
    wanted = twin(samples)
    if levels == LOSSY:
        assert np.abs(decoded(data).astype(int) - wanted).mean() <= levels
    else:
        assert furthest(data, wanted) <= levels


def on_white(samples: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    share = alpha[..., None] / 255
    return np.round(samples * share + 255 * (1 - share)).astype(np.uint8)


def levels_of(depth: int) -> tuple[NDArray[np.integer], NDArray[np.uint8]]:
    """Grey samples of that depth, and the same at 8 bits."""
    if depth == 16:
        return GREY.astype(np.uint16) * 257, GREY
    samples = GREY >> (8 - depth)
    return samples, (samples * (255 // (2**depth - 1))).astype(np.uint8)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_png_grey(depth: int, interlaced: bool) -> None:
    samples, at_8_bits = levels_of(depth)
    close(files.png(samples, files.GREY, depth, interlaced=interlaced), at_8_bits, EXACT)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
def test_png_colour(depth: int, interlaced: bool) -> None:
    samples = PHOTO.astype(np.uint16) * 257 if depth == 16 else PHOTO
    close(files.png(samples, files.RGB, depth, interlaced=interlaced), PHOTO, EXACT)


def test_png_16_bits_are_scaled_not_clipped() -> None:
    samples = np.full((300, 300), 30000, np.uint16)
    assert np.all(decoded(files.png(samples, files.GREY, 16)) == 30000 >> 8)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("colour", [files.GREY_ALPHA, files.RGBA])
def test_png_alpha_shows_white(colour: int, depth: int, interlaced: bool) -> None:
    picture = GREY[..., None] if colour == files.GREY_ALPHA else PHOTO
    samples = np.dstack([picture, ALPHA]).astype(np.uint16)
    data = files.png(samples * 257 if depth == 16 else samples, colour, depth, interlaced=interlaced)
    close(data, on_white(np.broadcast_to(picture, PHOTO.shape), ALPHA), ROUNDED)


def test_the_colour_of_transparent_pixels_does_not_leak() -> None:
    red = np.zeros((300, 300, 4), np.uint8)
    red[..., 0] = 255
    red[100:200, 100:200] = (0, 0, 255, 255)
    found = decoded(files.png(red, files.RGBA))
    assert np.all(found[:60] == 255)
    assert found[..., 1].min() == 0  # the blue square
    assert np.all(found[..., 0] <= found[..., 2])  # no red anywhere


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("interlaced", [False, True])
def test_png_palette(depth: int, interlaced: bool) -> None:
    indices = INDICES % min(2**depth, 16)
    palette = files.chunk(b"PLTE", COLOURS[: 2**depth].tobytes())
    data = files.png(indices, files.PALETTE, depth, interlaced=interlaced, before_pixels=[palette])
    close(data, COLOURS[indices], EXACT)


@pytest.mark.parametrize("alphas", [b"\xff\xff\x00", bytes(range(0, 256, 16)), b"\x00"])
def test_png_palette_with_transparency(alphas: bytes) -> None:
    chunks = [files.chunk(b"PLTE", COLOURS.tobytes()), files.chunk(b"tRNS", alphas)]
    data = files.png(INDICES, files.PALETTE, 8, before_pixels=chunks)
    alpha = np.frombuffer(alphas.ljust(16, b"\xff"), np.uint8)[INDICES]
    close(data, on_white(COLOURS[INDICES], alpha), ROUNDED)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_png_grey_with_one_transparent_sample(depth: int) -> None:
    samples, at_8_bits = levels_of(depth)
    transparent = int(samples[150, 200])
    trns = files.chunk(b"tRNS", transparent.to_bytes(2))
    data = files.png(samples, files.GREY, depth, before_pixels=[trns])
    close(data, np.where(samples == transparent, 255, at_8_bits).astype(np.uint8), ROUNDED)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_of_a_transparent_sample_the_low_bits_count(depth: int) -> None:
    """So says the PNG standard, section 11.3.1.1; libpng masks the others away."""
    samples, at_8_bits = levels_of(depth)
    transparent = int(samples[150, 200])
    trns = files.chunk(b"tRNS", (transparent | 1 << depth | 0xA000).to_bytes(2))
    data = files.png(samples, files.GREY, depth, before_pixels=[trns])
    close(data, np.where(samples == transparent, 255, at_8_bits).astype(np.uint8), ROUNDED)


@pytest.mark.parametrize(("depth", "colours", "alphas"), [(8, 16, 17), (8, 16, 256), (4, 16, 17), (1, 16, 3)])
def test_more_transparencies_than_colours_are_none(depth: int, colours: int, alphas: int) -> None:
    """libpng passes such a list over, and every browser reads by libpng or as it does."""
    indices = INDICES % min(2**depth, 16)
    chunks = [files.chunk(b"PLTE", COLOURS[:colours].tobytes()), files.chunk(b"tRNS", bytes(alphas))]
    close(files.png(indices, files.PALETTE, depth, before_pixels=chunks), COLOURS[indices], EXACT)


@pytest.mark.parametrize("depth", [8, 16])
def test_png_colour_with_one_transparent_sample(depth: int) -> None:
    picture = COLOURS[INDICES]
    samples = picture.astype(np.uint16) * 257 if depth == 16 else picture
    trns = files.chunk(b"tRNS", samples[150, 200].astype(">u2").tobytes())
    data = files.png(samples, files.RGB, depth, before_pixels=[trns])
    hidden = np.all(picture == picture[150, 200], axis=2)
    close(data, np.where(hidden[..., None], 255, picture).astype(np.uint8), ROUNDED)


@pytest.mark.parametrize("interlaced", [False, True])
def test_a_transparent_colour_of_16_bits_is_compared_by_all_of_them(*, interlaced: bool) -> None:
    samples = (COLOURS[INDICES].astype(np.uint16) << 8) + (RAMP[None, :, None] & 1)
    transparent = samples[150, 200]
    trns = files.chunk(b"tRNS", transparent.astype(">u2").tobytes())
    data = files.png(samples, files.RGB, 16, interlaced=interlaced, before_pixels=[trns])
    hidden = np.all(samples == transparent, axis=2)
    assert 0 < hidden.sum() < np.all(samples >> 8 == transparent >> 8, axis=2).sum()
    close(data, np.where(hidden[..., None], 255, COLOURS[INDICES]).astype(np.uint8), ROUNDED)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}]
)
@pytest.mark.parametrize("subsampling", [0, 1, 2])
def test_jpeg_colour(options: dict[str, object], subsampling: int) -> None:
    data = files.saved(Image.fromarray(PHOTO), "JPEG", quality=97, subsampling=subsampling, **options)
    close(data, PHOTO, LOSSY)
    assert furthest(data, files.reference(Image.open(io.BytesIO(data)))) <= EXACT


def test_jpeg_grey() -> None:
    close(files.saved(Image.fromarray(GREY), "JPEG", quality=97), GREY, LOSSY)


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("ycck", [False, True])
def test_jpeg_cmyk(ycck: bool, progressive: bool) -> None:
    """Adobe's files store the inverse; in the YCCK kind, of a colour transform too."""
    inks = Image.fromarray(PHOTO).convert("CMYK")
    stored = inks
    if ycck:
        *colours, black = inks.split()
        transformed = Image.merge("RGB", colours).convert("YCbCr").split()
        stored = Image.merge("CMYK", [*(ImageOps.invert(band) for band in transformed), black])
    data = files.saved(stored, "JPEG", quality=98, subsampling=0, progressive=progressive)
    if ycck:
        adobe = data.index(b"Adobe")
        data = data[: adobe + 11] + b"\x02" + data[adobe + 12 :]
    close(data, PHOTO, LOSSY)


def test_only_the_first_picture_of_a_multi_picture_jpeg_counts() -> None:
    others = [Image.fromarray(255 - PHOTO), Image.fromarray(np.zeros((4, 4, 3), np.uint8))]
    data = files.saved(Image.fromarray(PHOTO), "MPO", save_all=True, append_images=others, quality=97)
    assert data.count(b"MPF\0") == 1
    close(data, PHOTO, LOSSY)


def test_only_the_first_frame_of_an_animated_png_counts() -> None:
    other = Image.fromarray(255 - PHOTO)
    data = files.saved(Image.fromarray(PHOTO), "PNG", save_all=True, append_images=[other])
    assert b"acTL" in data
    close(data, PHOTO, EXACT)
