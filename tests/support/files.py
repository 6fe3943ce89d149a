"""Writers of files that Pillow can read but not write: small and literal, for tests."""

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from image_similarity.inference.manifest import Preprocessing

SIZE = 224
PREPROCESSING = Preprocessing(size=SIZE)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # PNG's colour types
# Adam7: first row, first column, row step, column step.
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))


def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    """A file that Pillow writes."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """One PNG chunk."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(
    samples: NDArray[np.integer],
    colour: int,
    depth: int = 8,
    *,
    interlaced: bool = False,
    before_pixels: Iterable[bytes] = (),
) -> bytes:
    """A PNG of `samples`, [H, W] or [H, W, bands], already in the range of `depth` bits."""
    samples = samples.reshape(*samples.shape[:2], -1)
    parts = [samples[a::c, b::d] for a, b, c, d in ADAM7] if interlaced else [samples]
    rows = b"".join(_rows(part, depth) for part in parts if part.size)
    header = struct.pack(">IIBBBBB", samples.shape[1], samples.shape[0], depth, colour, 0, 0, int(interlaced))
    pixels = chunk(b"IDAT", zlib.compress(rows, 1))
    return b"".join([b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *before_pixels, pixels, chunk(b"IEND")])


def _rows(samples: NDArray[np.integer], depth: int) -> bytes:
    height = samples.shape[0]
    if depth == 16:
        packed = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    elif depth == 8:
        packed = samples.astype(np.uint8).reshape(height, -1)
    else:
        flat = samples.astype(np.uint8).reshape(height, -1)
        bits = (flat[:, :, None] >> np.arange(depth - 1, -1, -1, dtype=np.uint8)) & 1
        packed = np.packbits(bits.reshape(height, -1), axis=1)
    return np.hstack([np.zeros((height, 1), np.uint8), packed]).tobytes()


def bmp(
    rows: bytes,
    size: tuple[int, int],
    bits: int,
    *,
    compression: int = 0,
    palette: bytes = b"",
    masks: bytes = b"",
    header_bytes: int = 40,
) -> bytes:
    """A BMP of rows as they are stored, with the header of Windows 3 (40), 4 (108) or OS/2 (12)."""
    width, height = size
    if header_bytes == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        colours = len(palette) // 4
        info = struct.pack(
            "<IiiHHIIiiII", header_bytes, width, height, 1, bits, compression, len(rows), 0, 0, colours, 0
        )
        info += masks.ljust(header_bytes - 40, b"\0") if header_bytes > 40 else masks
    start = 14 + len(info) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + info + palette + rows


def bmp_rows(samples: NDArray[np.integer], *, top_down: bool = False) -> bytes:
    """Rows padded to four bytes, the last one first."""
    samples = np.ascontiguousarray(samples if top_down else samples[::-1])
    flat = samples.reshape(samples.shape[0], -1).view(np.uint8).reshape(samples.shape[0], -1)
    return np.pad(flat, ((0, 0), (0, -flat.shape[1] % 4))).tobytes()


def exif_block(orientation: int, *, order: str = ">") -> bytes:
    """A TIFF block of one tag, the orientation."""
    mark = b"MM" if order == ">" else b"II"
    return mark + struct.pack(f"{order}HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def segment(marker: int, content: bytes) -> bytes:
    """One JPEG segment."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_segments(jpeg: bytes, *segments: bytes) -> bytes:
    """A JPEG with segments put in after its start."""
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def reference(picture: Image.Image, preprocessing: Preprocessing = PREPROCESSING) -> NDArray[np.uint8]:
    """torchvision's Resize and CenterCrop, as open_clip's evaluation transform has them, step by step."""
    size = preprocessing.size
    resample = Image.Resampling[preprocessing.interpolation.upper()]
    if preprocessing.resize_mode == "squash":
        return np.asarray(picture.resize((size, size), resample).convert("RGB"))
    width, height = picture.size
    short, long = min(width, height), int(size * max(width, height) / min(width, height))
    scaled = (size, long) if width == short else (long, size)
    if picture.size != scaled:
        picture = picture.resize(scaled, resample)
    left, top = round((scaled[0] - size) / 2.0), round((scaled[1] - size) / 2.0)
    return np.asarray(picture.crop((left, top, left + size, top + size)).convert("RGB"))


BLACK = np.zeros((64, 64, 3), np.uint8)
SMALL_PNG, SMALL_JPEG = png(BLACK, RGB), saved(Image.fromarray(BLACK), "JPEG")
