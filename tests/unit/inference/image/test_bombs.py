"""Files that are small and costly: refused at once, or read without their ballast."""

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from image_similarity.inference.image import bmp_runs, decode, jpeg, png, png_pixels
from tests.support import files
from tests.support.files import BLACK, SMALL_JPEG, SMALL_PNG
from tests.support.photos import photo
from tests.unit.inference.image.test_refusals import SECONDS, refused

PHOTO = photo("chelsea")


def repeated_scans(count: int) -> bytes:
    data = files.saved(PHOTO, "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * count + b"\xff\xd9"


BOMBS: dict[str, Callable[[], bytes]] = {
    "scans": lambda: repeated_scans(jpeg.MAX_SCANS),
    "scans behind a false end": lambda: hidden_scans(),
    "jpeg segments": lambda: SMALL_JPEG[:2] + b"\xff\xe1\0\2" * 5_000_000 + SMALL_JPEG[2:],
    "png chunks": lambda: SMALL_PNG[:33] + files.chunk(b"teXt") * 1_700_000 + SMALL_PNG[33:],
    "run lengths of one": lambda: files.bmp(
        b"\1\7" * 10**7, (2048, 2048), 8, compression=1, palette=bytes(1024)
    ),
}


def repeated_passes(passes: int) -> bytes:
    """A scan of no bits, as often; each goes over all coefficients of the picture."""
    data = files.saved(PHOTO.convert("L"), "JPEG", progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    return data[:-2] + last * passes + b"\xff\xd9"


def test_scans_may_not_go_over_the_picture_without_end() -> None:
    few, many = repeated_passes(10), repeated_passes(15)
    assert decode(few, preprocessing=files.PREPROCESSING).size
    refused(many, words="go over the picture more than 14 times; save it again")


def hidden_scans() -> bytes:
    """An end marker inside a comment between two scans is none."""
    data = files.saved(PHOTO, "JPEG", progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    comment = files.segment(0xFE, b"\xff\xd9")
    return data[:second] + comment + data[second:-2] + data[second:-2] * jpeg.MAX_SCANS + b"\xff\xd9"


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_files_that_would_cost_minutes_are_refused_at_once(name: str) -> None:
    refused(BOMBS[name](), words="save it")


@pytest.mark.parametrize("marker", [0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xD0)])
def test_jpegs_that_are_not_huffman_coded_are_refused(marker: int) -> None:
    refused(SMALL_JPEG.replace(b"\xff\xc0", bytes([0xFF, marker])), words="save it")


@pytest.mark.parametrize(
    ("markers", "name"),
    [
        ([0xC3, 0xC7, 0xCB, 0xCF], "a lossless JPEG"),
        ([0xC5, 0xC6, 0xCD, 0xCE, 0xDE, 0xDF], "a hierarchical JPEG"),
        ([0xC9, 0xCA, 0xCC], "a JPEG with arithmetic coding"),
        ([0xF7, 0xF8], "a JPEG-LS file"),
    ],
)
def test_a_coding_that_is_not_read_is_named(markers: list[int], name: str) -> None:
    for marker in markers:
        refused(SMALL_JPEG[:2] + files.segment(marker, b"\x08") + SMALL_JPEG[2:], words=f"{name} is not read")


def test_an_arithmetic_frame_after_the_first_scan_is_refused() -> None:
    data = files.saved(PHOTO, "JPEG", progressive=True)
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    refused(data[:second] + files.segment(0xCA, b"\x08") + data[second:], words="save it")


HEAVY_BUT_GOOD: dict[str, Callable[[], bytes]] = {
    "texts that inflate": lambda: files.png(
        BLACK, 2, before_pixels=[files.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10**7)))] * 50
    ),
    "a profile that inflates": lambda: files.png(
        BLACK, 2, before_pixels=[files.chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(10**8)))]
    ),
    "pixels that inflate past the picture": lambda: (
        SMALL_PNG[:33] + files.chunk(b"IDAT", zlib.compress(bytes(10**8))) * 9 + files.chunk(b"IEND")
    ),
    "empty chunks of pixels": lambda: SMALL_PNG[:33] + files.chunk(b"IDAT") * 30_000 + SMALL_PNG[33:],
    "fill bytes": lambda: SMALL_JPEG[:2] + b"\xff" * 10**7 + SMALL_JPEG[2:],
    "stray bytes": lambda: SMALL_JPEG[:20] + b"\0" * 10**7 + SMALL_JPEG[20:],
    "exif of 5000 large tags": lambda: files.with_segments(SMALL_JPEG, files.segment(0xE1, exif_bomb())),
    "a film behind the picture": lambda: SMALL_JPEG + b"\xff\xda\0\0" * 10**6,
}


def exif_bomb() -> bytes:
    tags = b"".join(struct.pack(">HHII", 0x8000 + tag, 1, 60_000, 0) for tag in range(5000))
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 5000) + tags


@pytest.mark.slow
@pytest.mark.parametrize("name", HEAVY_BUT_GOOD)
def test_ballast_is_dropped_and_the_picture_read(name: str) -> None:
    data = HEAVY_BUT_GOOD[name]()
    start = time.process_time()
    tracemalloc.start()
    found = decode(data, preprocessing=files.PREPROCESSING)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.all(found == 0)
    assert time.process_time() - start < SECONDS
    assert peak < 3 * len(data) + 2**22


@pytest.mark.parametrize("bits", [1, 8, 16])
@pytest.mark.parametrize("colour", [files.GREY, files.RGB, files.GREY_ALPHA, files.RGBA])
@pytest.mark.parametrize("interlaced", [False, True])
def test_compressed_pixels_are_bounded_by_the_pictures(bits: int, colour: int, interlaced: bool) -> None:
    """An eighth more for bad compression; twice that where there are seven passes, each with filter bytes."""
    header = png_pixels.Header(1000, 1000, bits, colour, interlaced)
    most = header.most_compressed_bytes - png_pixels.SPARE_BYTES
    assert 1.1 * header.row_bytes < most < 1.13 * header.row_bytes * (1 + interlaced)


@pytest.mark.slow
def test_limits_leave_room_for_what_programs_write() -> None:
    assert files.saved(PHOTO, "JPEG", progressive=True).count(b"\xff\xda") < jpeg.MAX_SCANS / 5
    small_chunks = io.BytesIO()
    Image.effect_noise((1024, 1024), 99).save(small_chunks, "PNG")
    assert small_chunks.getvalue().count(b"IDAT") < png.MAX_CHUNKS / 50
    assert bmp_runs.MAX_RUNS >= 2560 * 1600 / 4
