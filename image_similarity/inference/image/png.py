"""PNG files (W3C PNG, third edition): taken apart here, so that no other reader sees their chunks.

Of the picture's chunks only the compressed pixels are handed on, to Pillow's inflating and unfiltering codec.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from image_similarity.inference.image import exif, png_rows
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import TRANSPARENCY
from image_similarity.inference.image.still import Still

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 32_768
"""Each costs a loop in Python; writers that flush 8 kB at a time reach 2600 in 20 MiB."""
SINGLE = frozenset({b"IHDR", b"PLTE"})
"""Section 5.6: once at most, and before the pixels."""
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
# Bits and colour type (table 11.1): Pillow's mode, and how its codec reads the samples.
LAYOUTS = {
    **{(1, GREY): ("1", "1"), (2, GREY): ("L", "L;2"), (4, GREY): ("L", "L;4"), (8, GREY): ("L", "L")},
    **{(16, GREY): ("I;16", "I;16B"), (8, RGB): ("RGB", "RGB"), (16, RGB): ("RGB", "RGB;16B")},
    **{(bits, PALETTE): ("P", f"P;{bits}") for bits in (1, 2, 4)},
    **{(8, PALETTE): ("P", "P"), (8, GREY_ALPHA): ("LA", "LA"), (16, GREY_ALPHA): ("RGBA", "LA;16B")},
    **{(8, RGBA): ("RGBA", "RGBA"), (16, RGBA): ("RGBA", "RGBA;16B")},
}
LOW_BYTES = "RGB;16L"
"""Pillow's name for samples of the other byte order: what it takes for their high bytes are the low ones."""
STRIP_ROWS = 128
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
TRANSPARENCY_BYTES = {GREY: 2, RGB: 6}
SPARE_BYTES = 64 * 1024
APPLES = b"CgBI"


@dataclass(frozen=True, slots=True)
class Header:
    """The content of IHDR."""

    width: int
    height: int
    bits: int
    colour: int
    interlaced: bool

    @property
    def row_bytes(self) -> int:
        """What the pixels have once they are inflated."""
        bits = self.bits * SAMPLES[self.colour]
        return png_rows.size(self.width, self.height, bits, interlaced=self.interlaced)

    @property
    def most_compressed_bytes(self) -> int:
        """More than deflate needs for the pixels, in the worst way that a program writes it.

        Without it, 20 MiB of empty deflate blocks before one pixel would keep a processor busy for 1.5 s.
        """
        row = -(-self.width * self.bits * SAMPLES[self.colour] // 8) + 1
        passes = 2 if self.interlaced else 1  # seven in fact, of rows with a filter byte each
        return passes * row * self.height * 9 // 8 + SPARE_BYTES


@dataclass(slots=True)
class _Parts:
    header: Header
    palette: bytes = b""
    transparency: bytes = b""
    pixels: list[bytes] = field(default_factory=list)
    orientation: int | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    kind: bytes
    content: bytes
    checksum: bytes

    @property
    def sound(self) -> bool:
        """Whether it is whole and its checksum is right; pixels are not asked, since that takes long."""
        return self.checksum == zlib.crc32(self.content, zlib.crc32(self.kind)).to_bytes(4)


def read(data: bytes) -> Still:
    """Read the chunks that make the first picture.

    Profiles and texts that inflate, animation, what comes after the pixels and what has a wrong checksum are
    not looked at. A file that ends before its end chunk is read where all of its pixels are there.

    Raises:
        BrokenImageError: the header is not there or states what can't be, a chunk that may stand once stands
            twice or in the wrong place, or there are more than MAX_CHUNKS.
    """
    parts = _parts(data)
    header = parts.header
    compressed = b"".join(parts.pixels)
    if not compressed:
        raise BrokenImageError("the PNG has no pixels, or is truncated; send the whole file.")
    if header.colour == PALETTE and not parts.palette:
        raise BrokenImageError("the PNG has no palette before its pixels; save it again.")

    def load(_reduction: int) -> Image.Image:
        return _decoded(parts, compressed)

    return Still((header.width, header.height), load, parts.orientation or exif.UPRIGHT)


def _parts(data: bytes) -> _Parts:
    chunks = _chunks(data)
    first = next(chunks, None)
    if first is not None and first.kind == APPLES:
        raise BrokenImageError("a PNG in Apple's own form (CgBI) is not read; save it as an ordinary PNG.")
    if first is None or first.kind != b"IHDR" or not first.sound:
        raise BrokenImageError("the PNG does not begin with a sound header; send the whole file.")
    parts, past_pixels = _Parts(_header(first.content)), False
    seen = {b"IHDR"}
    for chunk in chunks:
        past_pixels = past_pixels or (bool(parts.pixels) and chunk.kind != b"IDAT")
        if chunk.kind in seen or (past_pixels and chunk.kind in (*SINGLE, b"IDAT")):
            raise BrokenImageError("the PNG's chunks are not in order; save it again.")
        if chunk.kind in SINGLE:
            seen.add(chunk.kind)
        if not past_pixels:
            _take(parts, chunk)
    return parts


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Each chunk up to the end chunk, or up to where the file breaks off."""
    position = len(SIGNATURE)
    for _ in range(MAX_CHUNKS):
        if position + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IEND":
            return
        start, end = position + 8, position + 8 + length
        content = data[start:end]
        yield _Chunk(kind, content, data[end : end + 4])
        position = end + 4
    raise BrokenImageError(f"the PNG has more than {MAX_CHUNKS} chunks; save it again.")


def _header(content: bytes) -> Header:
    if len(content) != 13:
        raise BrokenImageError("the PNG's header is not as long as it must be; save it again.")
    width, height, bits, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", content)
    if not width or not height or (bits, colour) not in LAYOUTS or compression or filtering or interlace > 1:
        raise BrokenImageError("the PNG's header states a picture that can't be; save it again.")
    return Header(width, height, bits, colour, bool(interlace))


def _take(parts: _Parts, chunk: _Chunk) -> None:
    """Keep what makes the picture of a chunk that stands before the pixels' end."""
    colour, content = parts.header.colour, chunk.content
    if chunk.kind == b"IDAT":
        parts.pixels.append(content)
    elif chunk.kind == b"PLTE" and colour == PALETTE:
        if not chunk.sound or len(content) % 3 or not 3 <= len(content) <= 3 * 256:
            raise BrokenImageError("the PNG's palette is damaged; save it again.")
        parts.palette = content
    elif chunk.kind == b"tRNS" and not parts.transparency and chunk.sound:
        entries = min(len(parts.palette) // 3, 2**parts.header.bits)
        # A list longer than the palette is none, as for libpng, which browsers read by.
        fits_palette = colour == PALETTE and len(content) <= entries
        if fits_palette or len(content) == TRANSPARENCY_BYTES.get(colour):
            parts.transparency = content
    elif chunk.kind == b"eXIf" and parts.orientation is None and chunk.sound:
        parts.orientation = exif.orientation(content)


def _decoded(parts: _Parts, compressed: bytes) -> Image.Image:
    header = parts.header
    mode, delivered = LAYOUTS[header.bits, header.colour]
    picture = _inflated(header, compressed, mode, delivered)
    if _may_lack_rows(header, picture) and not png_rows.all_there(compressed, header.row_bytes):
        raise BrokenImageError("the PNG has fewer pixels than it states; send the whole file.")
    if parts.palette:
        picture.putpalette(parts.palette)
    if parts.transparency and (header.bits, header.colour) == (16, RGB):
        low_bytes = _inflated(header, compressed, mode, LOW_BYTES)
        return _without_colour(picture, low_bytes, parts.transparency)
    if parts.transparency:
        picture.info[TRANSPARENCY] = _transparent(header, parts.transparency)
    return picture


def _may_lack_rows(header: Header, picture: Image.Image) -> bool:
    """Whether the stream may have ended, in good order, before the picture: rows are written from the top."""
    last_row = picture.crop((0, header.height - 1, header.width, header.height))
    return header.interlaced or not any(last_row.tobytes())


def _inflated(header: Header, compressed: bytes, mode: str, delivered: str) -> Image.Image:
    limit = header.most_compressed_bytes
    try:
        return Image.frombytes(
            mode,
            (header.width, header.height),
            compressed[:limit] if len(compressed) > limit else compressed,
            "zip",
            delivered,
            int(header.interlaced),
        )
    except ValueError as error:  # too few pixels, or data that can't be inflated
        if len(compressed) > limit:
            raise BrokenImageError(
                f"the PNG has {len(compressed)} bytes of compressed pixels, and a picture of its size needs "
                f"less than {limit}; save it again."
            ) from error
        raise BrokenImageError("the PNG's pixels are damaged or truncated; send the whole file.") from error


def _without_colour(high_bytes: Image.Image, low_bytes: Image.Image, colour: bytes) -> Image.Image:
    """White where all 16 bits of the samples are the transparent colour's."""
    wanted = [list(colour[first::2]) for first in (0, 1)]
    width, height = high_bytes.size
    for top in range(0, height, STRIP_ROWS):  # there is never a second copy of all samples
        box = (0, top, width, min(top + STRIP_ROWS, height))
        high, low = (np.asarray(samples.crop(box)) for samples in (high_bytes, low_bytes))
        hidden = np.all((high == wanted[0]) & (low == wanted[1]), axis=2)
        high_bytes.paste("white", box, Image.fromarray(hidden))
    return high_bytes


def _transparent(header: Header, content: bytes) -> bytes | int | tuple[int, ...]:
    """Alpha of each palette entry, or the one transparent sample or colour, as Pillow scales samples."""
    if header.colour == PALETTE:
        return content
    samples: tuple[int, ...] = struct.unpack(f">{len(content) // 2}H", content)
    if header.colour == RGB:
        return tuple(sample & 255 for sample in samples)
    highest: int = 2**header.bits - 1
    sample = samples[0] & highest  # section 11.3.1.1: the low bits count
    return sample * 255 // highest if header.bits < 8 else sample
