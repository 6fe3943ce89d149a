"""The chunks of a WebP file (RFC 9649 section 2), and the headers of its two codings."""

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.still import Size

RIFF, WEBP = b"RIFF", b"WEBP"
FILE_HEADER_BYTES = 12
LOSSY, LOSSLESS, EXTENDED = b"VP8 ", b"VP8L", b"VP8X"
ALPHA, FRAME, EXIF = b"ALPH", b"ANMF", b"EXIF"
CODINGS = frozenset({LOSSY, LOSSLESS})
MAX_CHUNKS = 32_768
"""Each chunk costs a turn of a Python loop; each frame of an animation is one."""
LOSSY_HEADER, LOSSLESS_HEADER = struct.Struct("<3s3sHH"), struct.Struct("<BI")
LOSSY_START, LOSSLESS_START = b"\x9d\x01\x2a", 0x2F
HIGHEST_PROFILE = 3
SIDE_BITS = 14
SIDE_MASK = (1 << SIDE_BITS) - 1


@dataclass(frozen=True, slots=True)
class Chunk:
    """One chunk: its four letters and its content, without the padding byte."""

    kind: bytes
    content: bytes

    @property
    def parts(self) -> tuple[bytes, bytes, bytes]:
        """The bytes of the chunk: letters and length, content, padding."""
        length = len(self.content)
        return struct.pack("<4sI", self.kind, length), self.content, b"\0" * (length % 2)


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yield each chunk, up to the end that the file states or to where it breaks off.

    Raises:
        BrokenImageError: there are more than MAX_CHUNKS.
    """
    (stated,) = struct.unpack_from("<I", data, len(RIFF))
    yield from _within(data, FILE_HEADER_BYTES, min(len(data), len(RIFF) + 4 + stated))


def inner(frame: bytes, start: int) -> Iterator[Chunk]:
    """The chunks inside the content of another, from `start` on."""
    yield from _within(frame, start, len(frame))


def _within(data: bytes, position: int, stop: int) -> Iterator[Chunk]:
    for _ in range(MAX_CHUNKS):
        if position + 8 > stop:
            return
        kind, length = struct.unpack_from("<4sI", data, position)
        position += 8
        if position + length > stop:
            return
        yield Chunk(kind, data[position : position + length])
        position += length + length % 2
    raise BrokenImageError(f"the WebP has more than {MAX_CHUNKS} chunks; save it again.")


def written(kept: Iterable[Chunk]) -> bytes:
    """A file of exactly these chunks."""
    body = b"".join([WEBP, *(part for chunk in kept for part in chunk.parts)])
    return struct.pack("<4sI", RIFF, len(body)) + body


def coded_size(chunk: Chunk) -> tuple[Size, bool]:
    """The size that the coded picture itself states, and whether it claims to have alpha.

    Raises:
        BrokenImageError: it does not begin as a picture of its coding must (RFC 6386 section 9.1, RFC 9649
            section 3.4).
    """
    try:
        return _lossy(chunk.content) if chunk.kind == LOSSY else _lossless(chunk.content)
    except struct.error as error:
        raise BrokenImageError("the WebP is truncated; send the whole file.") from error


def _lossy(content: bytes) -> tuple[Size, bool]:
    tag, start, width, height = LOSSY_HEADER.unpack_from(content)
    bits = int.from_bytes(tag, "little")
    is_whole_picture, profile, is_shown, first_part = not bits & 1, bits >> 1 & 7, bits >> 4 & 1, bits >> 5
    # The two bits above each side request enlarging, which no reader does.
    size = width & SIDE_MASK, height & SIDE_MASK
    if not (is_whole_picture and is_shown and profile <= HIGHEST_PROFILE and start == LOSSY_START):
        raise BrokenImageError("the WebP's picture has a header that can't be; save it again.")
    if first_part >= len(content):
        raise BrokenImageError("the WebP is truncated; send the whole file.")
    if 0 in size:
        raise BrokenImageError("the WebP states a size of 0 pixels; save it again.")
    return size, False


def _lossless(content: bytes) -> tuple[Size, bool]:
    start, bits = LOSSLESS_HEADER.unpack_from(content)
    width, height = (bits & SIDE_MASK) + 1, (bits >> SIDE_BITS & SIDE_MASK) + 1
    has_alpha, version = bits >> 2 * SIDE_BITS & 1, bits >> 2 * SIDE_BITS + 1
    if start != LOSSLESS_START or version:
        raise BrokenImageError("the WebP's picture has a header that can't be; save it again.")
    return (width, height), bool(has_alpha)
