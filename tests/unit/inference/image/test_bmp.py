"""The variants of BMP, each against its plain RGB twin."""

import struct

import numpy as np
import pytest

from image_similarity.inference.errors import InvalidImage
from image_similarity.inference.image import decode
from tests.support import files
from tests.unit.inference.image.test_formats import (
    ALPHA,
    COLOURS,
    EXACT,
    INDICES,
    PHOTO,
    ROUNDED,
    close,
    on_white,
)

SIZE = (PHOTO.shape[1], PHOTO.shape[0])
BGR = PHOTO[..., ::-1]
BITFIELDS, ALPHA_BITFIELDS = 3, 6
PALETTE_4 = np.pad(COLOURS[:, ::-1], ((0, 0), (0, 1))).tobytes()


def packed(indices: np.ndarray, bits: int) -> np.ndarray:
    planes = (indices[..., None] >> np.arange(bits - 1, -1, -1, dtype=np.uint8)) & 1
    return np.packbits(planes.reshape(indices.shape[0], -1), axis=1)


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_palette(bits: int) -> None:
    indices = INDICES % min(2**bits, 16)
    rows = files.bmp_rows(packed(indices, bits))
    close(files.bmp(rows, SIZE, bits, palette=PALETTE_4[: 4 * min(2**bits, 16)]), COLOURS[indices], EXACT)


@pytest.mark.parametrize("stated", [16, 0])
def test_pixels_whose_start_is_not_filled_in_lie_behind_the_palette(stated: int) -> None:
    data = bytearray(files.bmp(files.bmp_rows(packed(INDICES, 4)), SIZE, 4, palette=PALETTE_4))
    data[10:14], data[46:50] = struct.pack("<I", 54), struct.pack("<I", stated)
    close(bytes(data), COLOURS[INDICES], EXACT)


def test_os2_palette() -> None:
    palette = np.pad(COLOURS[:, ::-1], ((0, 240), (0, 0))).tobytes()
    rows = files.bmp_rows(INDICES)
    close(files.bmp(rows, SIZE, 8, palette=palette, header_bytes=12), COLOURS[INDICES], EXACT)


@pytest.mark.parametrize("top_down", [False, True])
def test_24_bits(top_down: bool) -> None:
    rows = files.bmp_rows(BGR, top_down=top_down)
    close(files.bmp(rows, (SIZE[0], -SIZE[1] if top_down else SIZE[1]), 24), PHOTO, EXACT)


@pytest.mark.parametrize("header_bytes", [16, 40, 52, 56, 64, 108, 124])
def test_headers_of_every_length(header_bytes: int) -> None:
    close(files.bmp(files.bmp_rows(BGR), SIZE, 24, header_bytes=header_bytes), PHOTO, EXACT)


@pytest.mark.parametrize("header_bytes", [0, 11, 13, 39, 41, 51, 53, 107, 123, 125])
def test_headers_of_other_lengths(header_bytes: int) -> None:
    data = files.bmp(files.bmp_rows(BGR), SIZE, 24)
    data = data[:14] + struct.pack("<I", header_bytes) + data[18:]
    with pytest.raises(InvalidImage, match=f"a BMP with a header of {header_bytes} bytes is not read"):
        decode(data, preprocessing=files.PREPROCESSING)


def test_32_bits_without_alpha() -> None:
    rows = files.bmp_rows(np.dstack([BGR, np.zeros_like(ALPHA)]))
    close(files.bmp(rows, SIZE, 32), PHOTO, EXACT)


def test_32_bits_with_alpha() -> None:
    rows = files.bmp_rows(np.dstack([BGR, ALPHA]))
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = files.bmp(rows, SIZE, 32, compression=BITFIELDS, masks=masks, header_bytes=108)
    close(data, on_white(PHOTO, ALPHA), ROUNDED)


@pytest.mark.parametrize("header_bytes", [40, 52, 56])
def test_a_fourth_mask_belongs_to_alpha(header_bytes: int) -> None:
    """Behind a header of 40 bytes it is what compression 6 adds; one of 52 has three of its own."""
    rows = files.bmp_rows(np.dstack([BGR, ALPHA]))
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)[: 12 if header_bytes == 52 else 16]
    data = files.bmp(rows, SIZE, 32, compression=ALPHA_BITFIELDS, masks=masks, header_bytes=header_bytes)
    close(data, PHOTO if header_bytes == 52 else on_white(PHOTO, ALPHA), ROUNDED)


@pytest.mark.parametrize(("green_bits", "masks"), [(5, (0x7C00, 0x3E0, 0x1F)), (6, (0xF800, 0x7E0, 0x1F))])
def test_16_bits(green_bits: int, masks: tuple[int, int, int]) -> None:
    red, green, blue = (PHOTO[..., band].astype(np.uint16) for band in range(3))
    words = (red >> 3) << (5 + green_bits) | (green >> (8 - green_bits)) << 5 | blue >> 3
    rows = files.bmp_rows(words.astype("<u2"))
    compression = BITFIELDS if green_bits == 6 else 0
    data = files.bmp(
        rows, SIZE, 16, compression=compression, masks=struct.pack("<III", *masks) if compression else b""
    )
    bands = ((red >> 3, 31), (green >> (8 - green_bits), 2**green_bits - 1), (blue >> 3, 31))
    shown = np.dstack([band * 255 // full for band, full in bands])
    close(data, shown.astype(np.uint8), ROUNDED)


@pytest.mark.slow
def test_run_lengths_of_8_bits() -> None:
    rows = b"".join(b"".join(bytes([1, index]) for index in row) + b"\0\0" for row in INDICES[::-1])
    data = files.bmp(rows + b"\0\1", SIZE, 8, compression=1, palette=PALETTE_4)
    close(data, COLOURS[INDICES], EXACT)


@pytest.mark.slow
def test_run_lengths_of_4_bits() -> None:
    pairs = INDICES[:, ::2] << 4 | INDICES[:, 1::2]
    rows = b"".join(b"".join(bytes([2, pair]) for pair in row) + b"\0\0" for row in pairs[::-1])
    data = files.bmp(rows + b"\0\1", SIZE, 4, compression=2, palette=PALETTE_4)
    close(data, COLOURS[INDICES], EXACT)
