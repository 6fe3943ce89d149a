"""Files as other programs write them, which some readers refuse or show otherwise."""

import struct
import zlib

import numpy as np
import pytest

from image_similarity.inference.errors import InvalidImage
from image_similarity.inference.image import png
from tests.support import files
from tests.unit.inference.image.test_bmp import BGR, BITFIELDS, PALETTE_4, SIZE, packed
from tests.unit.inference.image.test_formats import (
    ALPHA,
    COLOURS,
    EXACT,
    GREY,
    INDICES,
    PHOTO,
    ROUNDED,
    close,
    decoded,
    on_white,
)

TRNS_WRONG = files.chunk(b"tRNS", bytes(6))[:-4] + b"\0\0\0\0"


def words(levels: tuple[np.ndarray, ...], masks: tuple[int, ...], kind: str) -> bytes:
    """Rows of words with each band's levels, 0 to 255, in the bits of its mask."""
    packed = np.zeros(PHOTO.shape[:2], np.uint64)
    for band, mask in zip(levels, masks, strict=True):
        shift = (mask & -mask).bit_length() - 1
        packed |= (band.astype(np.uint64) * (mask >> shift) // 255) << np.uint64(shift)
    return files.bmp_rows(packed.astype(kind))


def shown(band: np.ndarray, mask: int) -> np.ndarray:
    highest = mask // (mask & -mask)
    return (band.astype(int) * highest // 255 * 255 // highest).astype(np.uint8)


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0xF00, 0xF0, 0xF)),
        (16, (0x1F, 0x7E0, 0xF800)),
        (16, (0xE0, 0x1C, 0x3)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF)),
        (32, (0xFF00, 0xFF, 0xFF0000)),
        (32, (0xFF, 0xFF00, 0xFF0000)),
    ],
)
def test_bit_fields_of_any_width(bits: int, masks: tuple[int, int, int]) -> None:
    bands = tuple(PHOTO[..., band] for band in range(3))
    rows = words(bands, masks, f"<u{bits // 8}")
    data = files.bmp(rows, SIZE, bits, compression=BITFIELDS, masks=struct.pack("<III", *masks))
    close(data, np.dstack([shown(band, mask) for band, mask in zip(bands, masks, strict=True)]), ROUNDED)


@pytest.mark.parametrize(
    ("bits", "masks"), [(16, (0x7C00, 0x3E0, 0x1F, 0x8000)), (16, (0xF00, 0xF0, 0xF, 0xF000))]
)
def test_alpha_of_16_bits_shows_white(bits: int, masks: tuple[int, int, int, int]) -> None:
    alpha = np.where(ALPHA > 127, 255, 0).astype(np.uint8)
    bands = (*(PHOTO[..., band] for band in range(3)), alpha)
    rows = words(bands, masks, "<u2")
    data = files.bmp(
        rows, SIZE, bits, compression=BITFIELDS, masks=struct.pack("<IIII", *masks), header_bytes=108
    )
    colours = np.dstack([shown(PHOTO[..., band], masks[band]) for band in range(3)])
    close(data, on_white(colours, alpha), ROUNDED)


@pytest.mark.parametrize("masks", [(0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0, 0, 0, 0)])
def test_alpha_that_is_0_everywhere_is_none(masks: tuple[int, int, int, int]) -> None:
    rows = files.bmp_rows(np.dstack([BGR, np.zeros_like(ALPHA)]))
    data = files.bmp(
        rows, SIZE, 32, compression=BITFIELDS, masks=struct.pack("<IIII", *masks), header_bytes=108
    )
    close(data, PHOTO, EXACT)


@pytest.mark.parametrize(
    "masks", [(0xFF, 0xFF, 0xFF), (0x5, 0xF0, 0xF00), (0x1F0000, 0x3E0, 0x1F), (0, 0, 0)]
)
def test_bit_fields_that_can_not_be_are_refused(masks: tuple[int, int, int]) -> None:
    data = files.bmp(
        files.bmp_rows(PHOTO[..., :2].copy().view("<u2")),
        SIZE,
        16,
        compression=BITFIELDS,
        masks=struct.pack("<III", *masks),
    )
    with pytest.raises(InvalidImage, match="bit fields"):
        decoded(data)


def runs_of_8_bits(over: int, end: bytes = b"\0\1") -> bytes:
    """Literal runs, with indices beyond each row's end."""
    rows = b""
    for row in INDICES[::-1]:
        stored = bytes(row) + bytes(over)
        for start in range(0, len(stored), 250):
            part = stored[start : start + 250]
            rows += bytes([0, len(part)]) + part + bytes(len(part) % 2)
        rows += b"\0\0"
    return files.bmp(rows[:-2] + end, SIZE, 8, compression=1, palette=PALETTE_4)


@pytest.mark.parametrize("over", [0, 3, 40])
def test_a_run_is_cut_at_the_end_of_its_row(over: int) -> None:
    close(runs_of_8_bits(over), COLOURS[INDICES], EXACT)


@pytest.mark.parametrize("end", [b"\0\1", b"\0\0\0\1", b"\0\0", b""])
def test_run_lengths_need_no_end_mark(end: bytes) -> None:
    close(runs_of_8_bits(0, end), COLOURS[INDICES], EXACT)


@pytest.mark.parametrize("colours", [17, 256, 300, 99_999, 2**32 - 1])
def test_more_colours_than_indices_change_nothing(colours: int) -> None:
    data = bytearray(files.bmp(files.bmp_rows(packed(INDICES, 4)), SIZE, 4, palette=PALETTE_4))
    data[46:50] = struct.pack("<I", colours)
    close(bytes(data), COLOURS[INDICES], EXACT)


def test_the_short_header_of_os2() -> None:
    rows = files.bmp_rows(packed(INDICES, 4))
    info = struct.pack("<IiiHH", 16, *SIZE, 1, 4) + PALETTE_4
    start = 14 + len(info)
    data = struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + info + rows
    close(data, COLOURS[INDICES], EXACT)


def test_a_negative_width_is_told() -> None:
    with pytest.raises(InvalidImage, match="a size of -8 x 8 pixels"):
        decoded(files.bmp(bytes(999), (-8, 8), 24))


def test_long_literal_runs_of_4_bits() -> None:
    rows = b""
    for row in INDICES[::-1]:
        for start in range(0, len(row), 255):
            part = row[start : start + 255]
            pairs = np.pad(part, (0, len(part) % 2)).reshape(-1, 2)
            stored = bytes(pairs[:, 0] << 4 | pairs[:, 1])
            rows += bytes([0, len(part)]) + stored + bytes(len(stored) % 2)
        rows += b"\0\0"
    close(files.bmp(rows, SIZE, 4, compression=2, palette=PALETTE_4), COLOURS[INDICES], EXACT)


def test_two_bits_an_index() -> None:
    indices = INDICES % 4
    planes = np.packbits(((indices[..., None] >> np.array([1, 0])) & 1).reshape(len(indices), -1), axis=1)
    close(files.bmp(files.bmp_rows(planes), SIZE, 2, palette=PALETTE_4[:16]), COLOURS[indices], EXACT)


def test_an_index_without_a_colour_is_black() -> None:
    data = files.bmp(files.bmp_rows(INDICES), SIZE, 8, palette=PALETTE_4[:32])
    close(data, np.where(INDICES[..., None] < 8, COLOURS[INDICES], 0).astype(np.uint8), EXACT)


@pytest.mark.parametrize(
    ("compression", "size", "name"),
    [
        (4, 40, "JPEG inside"),
        (5, 40, "PNG inside"),
        (3, 64, "Huffman"),
        (4, 64, "24 bits"),
        (9, 40, "compression 9"),
    ],
)
def test_other_bmps_are_named(compression: int, size: int, name: str) -> None:
    data = files.bmp(bytes(64), (4, 4), 24, compression=compression, masks=bytes(8), header_bytes=size)
    with pytest.raises(InvalidImage, match=name):
        decoded(data)


@pytest.mark.parametrize(
    "chunks",
    [
        [files.chunk(b"tRNS", b"\0")],
        [TRNS_WRONG],
        [files.chunk(b"eXIf", files.exif_block(6))[:-4] + b"\0\0\0\0"],
        [files.chunk(b"PLTE", bytes(9))],
        [files.chunk(b"iCCP", b"\0"), files.chunk(b"acTL", b"")],
    ],
)
def test_chunks_that_make_no_sense_or_are_damaged_count_for_nothing(chunks: list[bytes]) -> None:
    close(files.png(PHOTO, files.RGB, before_pixels=chunks), PHOTO, EXACT)


@pytest.mark.parametrize(
    "chunk",
    [files.chunk(b"tRNS", bytes(128)), files.chunk(b"eXIf", files.exif_block(6)), files.chunk(b"teXt")],
)
def test_what_stands_behind_the_pixels_changes_nothing(chunk: bytes) -> None:
    data = files.png(PHOTO, files.RGB)
    close(data[:-12] + chunk + data[-12:], PHOTO, EXACT)


def test_of_two_orientations_the_first_counts() -> None:
    blocks = [files.chunk(b"eXIf", files.exif_block(turn)) for turn in (6, 1)]
    assert png.read(files.png(GREY, files.GREY, before_pixels=blocks)).orientation == 6


def test_apples_own_form_is_named() -> None:
    data = files.png(PHOTO, files.RGB)
    with pytest.raises(InvalidImage, match="Apple"):
        decoded(data[:8] + files.chunk(b"CgBI", bytes(4)) + data[8:])


def test_pixels_of_no_use_are_not_inflated() -> None:
    empty_blocks = b"\0\0\0\xff\xff" * 1_800_000
    rows = bytes(1 + 3 * 8) * 8
    deflated = b"\x78\x01" + empty_blocks + zlib.compress(rows)[2:]
    small = files.png(np.zeros((8, 8, 3), np.uint8), files.RGB)
    data = small[:33] + files.chunk(b"IDAT", deflated) + files.chunk(b"IEND")
    with pytest.raises(InvalidImage, match="bytes of compressed pixels"):
        decoded(data)
