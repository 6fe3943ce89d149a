"""Files that are refused: with which error and words, how soon, and at which cost in memory."""

import re
import struct
import time
import tracemalloc
import zlib

import numpy as np
import pytest

from image_similarity.inference.errors import ApiError, ImageTooLarge, InvalidImage
from image_similarity.inference.image import decode
from tests.support import files
from tests.support.files import SMALL_JPEG, SMALL_PNG
from tests.support.photos import photo

PHOTO = photo("chelsea")
BLACK = np.zeros((64, 64, 3), np.uint8)
INTERLACED_PNG = files.png(BLACK, files.RGB, interlaced=True)
PALETTE_PNG = files.saved(PHOTO.convert("P"), "PNG")
GREY_PNG = files.saved(PHOTO.convert("L"), "PNG")
SECONDS = 3.0  # of processor time, which a busy machine does not stretch as it does the clock's


def refused(data: bytes, error: type[ApiError] = InvalidImage, words: str | None = None) -> None:
    start = time.process_time()
    with pytest.raises(error, match=words):
        decode(data, preprocessing=files.PREPROCESSING)
    assert time.process_time() - start < SECONDS


NO_IMAGES = {
    "the file is empty": [b""],
    "a web page": [
        b"<!doctype html><title>Not found</title>",
        b"\xef\xbb\xbf\n <HTML lang=en>",
        b"<!-- a -->",
    ],
    "a PNG that was damaged on its way": [SMALL_PNG.replace(b"\r\n", b"\n")],
    "a GIF": [files.saved(PHOTO, "GIF")],
    "a TIFF": [files.saved(PHOTO, "TIFF"), b"MM\0*\0\0\0\x08"],
    "an AVIF": [b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", b"\0\0\0\x20ftypmif1\0\0\0\0mif1avif"],
    "a HEIC photograph": [b"\0\0\0\x24ftypheic\0\0\0\0mif1heic", b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic"],
    "a JPEG 2000 file": [files.saved(PHOTO, "JPEG2000")],
    "a JPEG XL file": [b"\xff\x0a\xfa\x1f", b"\0\0\0\x0cJXL \r\n\x87\n"],
    "a video": [b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3\x01", b"RIFF\0\0\0\0AVI LIST"],
    "a PostScript file": [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"],
    "an SVG drawing": [b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?>\n<svg/>"],
    "a bitmap without a BMP's file header": [files.saved(PHOTO, "BMP")[14:]],
    "a PDF": [b"%PDF-1.7\n"],
    "a ZIP archive": [b"PK\3\4"],
    "a Netpbm file": [files.saved(PHOTO, "PPM")],
    "an XML document": [b"<?xml version='1.0'?><Error><Code>NoSuchKey</Code></Error>"],
    "JSON": [b'{"message": "Not Found"}'],
    "base64 of a picture": [b"/9j/4AAQSkZJRg==", b"iVBORw0KGgoAAAANSUhEUg=="],
    "its format is not recognised": [
        b"hello, world",
        b"  " + SMALL_PNG,
        b"\0",
        b"\xff\xd8",
    ],
}


@pytest.mark.parametrize("words", NO_IMAGES)
def test_other_formats_are_named(words: str) -> None:
    for data in NO_IMAGES[words]:
        refused(data, words=f"{words}.*send a JPEG, PNG, BMP or WebP file")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "MPO"])
@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])
def test_truncated_files(kind: str, part: float) -> None:
    data = files.saved(PHOTO, kind)
    refused(data[: max(4, int(len(data) * part))])


@pytest.mark.parametrize("missing", [1, 2, 3, 8, 12])
def test_bmps_without_their_last_pixels(missing: int) -> None:
    refused(files.saved(PHOTO.resize((64, 64)), "BMP")[:-missing], words="truncated")


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "end"), [("JPEG", 2), ("PNG", 12)])
def test_files_without_their_end_marker_are_read(kind: str, end: int) -> None:
    data = files.saved(PHOTO, kind)
    whole = decode(data, preprocessing=files.PREPROCESSING)
    for missing in range(1, end + 1):
        part = decode(data[:-missing], preprocessing=files.PREPROCESSING)
        assert np.array_equal(part, whole)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_rows": 1}])
def test_jpegs_without_the_end_of_their_pixels(options: dict[str, object]) -> None:
    """Each byte that is taken away leaves the picture as it is, or it is refused: nothing is made up."""
    data = files.saved(PHOTO.resize((64, 64)), "JPEG", quality=92, **options)
    whole = decode(data, preprocessing=files.PREPROCESSING)
    refusals = 0
    for missing in range(3, 300):
        try:
            part = decode(data[:-missing], preprocessing=files.PREPROCESSING)
        except InvalidImage:
            refusals += 1
        else:
            assert np.array_equal(part, whole)
    assert refusals > 290


def test_progressive_jpegs_without_their_last_scans() -> None:
    """Each scan refines all of the picture: the pixels of those before are whole, and not the picture's."""
    data = files.saved(PHOTO, "JPEG", progressive=True)
    scans = [match.start() for match in re.finditer(rb"\xff\xda", data)]
    assert len(scans) == 10
    for scan in scans[1:]:
        refused(data[:scan], words="the JPEG is truncated")


def _of_rows(png: bytes, kept: float) -> bytes:
    """A PNG whose stream ends, in good order, after so many rows of 64 RGB pixels; below 1: a part of it."""
    start = png.index(b"IDAT") + 4
    rows = zlib.decompress(png[start:-16])
    length = int(kept * len(rows)) if 0 < kept < 1 else int(kept if kept < 0 else kept * (1 + 64 * 3))
    return png[: start - 8] + files.chunk(b"IDAT", zlib.compress(rows[:length])) + png[-12:]


def broken_pngs() -> dict[str, bytes]:
    head, rest = SMALL_PNG[:33], SMALL_PNG[33:]

    def header(*values: int) -> bytes:
        return SMALL_PNG[:8] + files.chunk(b"IHDR", struct.pack(">IIBBBBB", *values)) + rest

    return {
        "no header": SMALL_PNG[:8] + rest,
        "header of one byte": SMALL_PNG[:8] + files.chunk(b"IHDR", b"\0") + rest,
        "no pixels": head + files.chunk(b"IEND"),
        "pixels that are not deflated": head + files.chunk(b"IDAT", b"not zlib") + files.chunk(b"IEND"),
        # A compressed stream may end where a row ends, and be sound as far as it goes.
        "half of the rows": _of_rows(SMALL_PNG, 32),
        "all rows but the last": _of_rows(SMALL_PNG, 63),
        "one row": _of_rows(SMALL_PNG, 1),
        "half of the rows, interlaced": _of_rows(INTERLACED_PNG, 0.5),
        "all rows but the last pass's last, interlaced": _of_rows(INTERLACED_PNG, -1 - 64 * 3),
        "half of the pixels": head + files.chunk(b"IDAT", zlib.compress(bytes(6000))) + files.chunk(b"IEND"),
        "wrong checksum": SMALL_PNG[:30] + b"\0\0\0" + SMALL_PNG[33:],
        "width of 0": header(0, 64, 8, 2, 0, 0, 0),
        "height of 0": header(64, 0, 8, 2, 0, 0, 0),
        "3 bits": header(64, 64, 3, 2, 0, 0, 0),
        "colour type 1": header(64, 64, 8, 1, 0, 0, 0),
        "filter 200": head + files.chunk(b"IDAT", zlib.compress(b"\xc8" * 12352)) + files.chunk(b"IEND"),
        "a palette of half a colour": PALETTE_PNG[:33] + files.chunk(b"PLTE", bytes(50)) + PALETTE_PNG[33:],
        "a damaged palette": PALETTE_PNG.replace(PALETTE_PNG[41:43], b"\1\2", 1),
        "no palette": PALETTE_PNG[:33] + PALETTE_PNG[PALETTE_PNG.index(b"IDAT") - 4 :],
        "a palette behind the pixels": SMALL_PNG[:-12] + files.chunk(b"PLTE", bytes(3)) + SMALL_PNG[-12:],
        "a second header": SMALL_PNG[:-12] + SMALL_PNG[8:33] + SMALL_PNG[-12:],
        "a header of another kind between": PALETTE_PNG[:33] + GREY_PNG[8:33] + PALETTE_PNG[33:],
        "a palette twice": PALETTE_PNG[:33] + files.chunk(b"PLTE", bytes(48)) + PALETTE_PNG[33:],
        "another chunk first": SMALL_PNG[:8] + files.chunk(b"gAMA", bytes(4)) + SMALL_PNG[8:],
        "a chunk that is longer than the file": head + b"\x7f\xff\xff\xffIDAT" + rest,
    }


@pytest.mark.parametrize("name", broken_pngs())
def test_broken_pngs(name: str) -> None:
    refused(broken_pngs()[name])


def broken_jpegs() -> dict[str, bytes]:
    frame = SMALL_JPEG.index(b"\xff\xc0")
    scan = SMALL_JPEG.index(b"\xff\xda")

    def framed(content: bytes, marker: int = 0xC0) -> bytes:
        return SMALL_JPEG[:frame] + files.segment(marker, content) + SMALL_JPEG[frame + 19 :]

    one = b"\x01\x11\x00"
    return {
        "nothing but start and end": b"\xff\xd8\xff\xd9",
        "no frame": SMALL_JPEG[:frame] + SMALL_JPEG[frame + 19 :],
        "no scan": SMALL_JPEG[:scan] + b"\xff\xd9",
        "no tables": SMALL_JPEG[:20] + SMALL_JPEG[frame:],
        "two frames": SMALL_JPEG[:frame] + SMALL_JPEG[frame : frame + 19] + SMALL_JPEG[frame:],
        "width of 0": framed(struct.pack(">BHHB", 8, 64, 0, 1) + one),
        "height of 0": framed(struct.pack(">BHHB", 8, 0, 64, 1) + one),
        "12 bits": framed(struct.pack(">BHHB", 12, 64, 64, 1) + one),
        "lossless": framed(struct.pack(">BHHB", 8, 64, 64, 1) + one, 0xC3),
        "5 components": framed(struct.pack(">BHHB", 8, 64, 64, 5) + one * 5),
        "a frame longer than its components": framed(struct.pack(">BHHB", 8, 64, 64, 1) + one * 2),
        "no components": framed(struct.pack(">BHHB", 8, 64, 64, 0)),
        "sampling of 15": framed(struct.pack(">BHHB", 8, 64, 64, 3) + b"\1\xff\0\2\xff\1\3\xff\1"),
        "a segment of length 0": SMALL_JPEG[:2] + b"\xff\xdb\0\0" + SMALL_JPEG[2:],
        "a segment past the end": SMALL_JPEG[:2] + b"\xff\xdb\xff\xff" + SMALL_JPEG[2:],
        "an unknown marker in the scan": SMALL_JPEG[:-4] + b"\xff\x02" + SMALL_JPEG[-4:],
    }


@pytest.mark.parametrize("name", broken_jpegs())
def test_broken_jpegs(name: str) -> None:
    refused(broken_jpegs()[name])


def broken_bmps() -> dict[str, bytes]:
    def info(*values: int, size: int = 40) -> bytes:
        return b"BM" + bytes(8) + struct.pack("<IIiiHHIIiiII", 54, size, *values) + bytes(64)

    return {
        "nothing but the name": b"BM",
        "a header of 13 bytes": info(4, 4, 1, 24, 0, 0, 0, 0, 0, 0, size=13),
        "a header of 4 GB": info(4, 4, 1, 24, 0, 0, 0, 0, 0, 0, size=2**32 - 1),
        "width of 0": info(0, 4, 1, 24, 0, 0, 0, 0, 0, 0),
        "height of 0": info(4, 0, 1, 24, 0, 0, 0, 0, 0, 0),
        "7 bits": info(4, 4, 1, 7, 0, 0, 0, 0, 0, 0),
        "jpeg inside": info(4, 4, 1, 0, 4, 0, 0, 0, 0, 0),
        "compression 99": info(4, 4, 1, 24, 99, 0, 0, 0, 0, 0),
        "a palette of 4 billion": info(4, 4, 1, 8, 0, 0, 0, 0, 2**32 - 1, 0),
        "masks that are no colours": info(4, 4, 1, 16, 3, 0, 0, 0, 0, 0) + b"\1\2\3",
        "run lengths that end too soon": files.bmp(b"\4\1", (9, 9), 8, compression=1, palette=bytes(1024)),
    }


@pytest.mark.parametrize("name", broken_bmps())
def test_broken_bmps(name: str) -> None:
    refused(broken_bmps()[name])


@pytest.mark.parametrize("size", [(4097, 1), (1, 4097), (5000, 4000), (65535, 65535)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP"])
def test_large_sizes_are_told_from_the_header(kind: str, size: tuple[int, int]) -> None:
    """The files hold no such picture; memory stays far below its pixels."""
    width, height = size
    if kind == "PNG":
        data = (
            SMALL_PNG[:8]
            + files.chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
            + SMALL_PNG[33:]
        )
    elif kind == "JPEG":
        frame = SMALL_JPEG.index(b"\xff\xc0")
        data = SMALL_JPEG[: frame + 5] + struct.pack(">HH", height, width) + SMALL_JPEG[frame + 9 :]
    else:
        data = files.bmp(bytes(64), size, 24)
    tracemalloc.start()
    refused(data, ImageTooLarge, f"{width} x {height} pixels; the longest side may have 4096")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
