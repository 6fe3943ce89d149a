"""PNG files (W3C PNG, third edition): parsed here, so that no other reader sees their chunks.

Only the compressed pixels are passed on, to Pillow's codec, which inflates and unfilters them.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from PIL import Image

from image_similarity.inference.image import exif, png_pixels
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.png_pixels import GREY, LAYOUTS, PALETTE, RGB, Header
from image_similarity.inference.image.still import Still

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 32_768
"""Each chunk costs a turn of a Python loop; a writer that flushes 8 kB at a time makes 2600 of 20 MiB."""
SINGLE = frozenset({b"IHDR", b"PLTE"})
"""Chunks that may stand once at most, and before the pixels (section 5.6)."""
TRANSPARENCY_BYTES = {GREY: 2, RGB: 6}
APPLES = b"CgBI"


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
        """Whether it is complete and its checksum is right (not computed for pixels: too slow)."""
        return self.checksum == zlib.crc32(self.content, zlib.crc32(self.kind)).to_bytes(4)


def read(data: bytes) -> Still:
    """Read the chunks that make up the first picture.

    Profiles, texts, animation, anything after the pixels and chunks with a wrong checksum are skipped. A file
    that lacks its end chunk is accepted if it has all of its pixels.

    Raises:
        BrokenImageError: the header is missing or impossible, a chunk that may stand once is repeated or
            misplaced, or there are more than MAX_CHUNKS.
    """
    parts = _parts(data)
    header = parts.header
    compressed = b"".join(parts.pixels)
    if not compressed:
        raise BrokenImageError("the PNG has no pixels, or is truncated; send the whole file.")
    if header.colour == PALETTE and not parts.palette:
        raise BrokenImageError("the PNG has no palette before its pixels; save it again.")

    def load(_reduction: int) -> Image.Image:
        return png_pixels.decoded(header, compressed, parts.palette, parts.transparency)

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
    """Keep what the picture needs of a chunk that precedes the end of the pixels."""
    colour, content = parts.header.colour, chunk.content
    if chunk.kind == b"IDAT":
        parts.pixels.append(content)
    elif chunk.kind == b"PLTE" and colour == PALETTE:
        if not chunk.sound or len(content) % 3 or not 3 <= len(content) <= 3 * 256:
            raise BrokenImageError("the PNG's palette is damaged; save it again.")
        parts.palette = content
    elif chunk.kind == b"tRNS" and not parts.transparency and chunk.sound:
        entries = min(len(parts.palette) // 3, 2**parts.header.bits)
        # A list longer than the palette is ignored, as libpng and therefore browsers do.
        fits_palette = colour == PALETTE and len(content) <= entries
        if fits_palette or len(content) == TRANSPARENCY_BYTES.get(colour):
            parts.transparency = content
    elif chunk.kind == b"eXIf" and parts.orientation is None and chunk.sound:
        parts.orientation = exif.orientation(content)
