"""WebP files (RFC 9649): the first picture, rewritten for libwebp from the chunks that make it up.

libwebp never sees the file itself. It sees a still picture that this module wrote: a header, at most one
chunk of alpha, and one coded picture, whose size was parsed here.
"""

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass

# Imported now, because the process that decodes may open no file later.
from PIL import Image, _webp

from image_similarity.inference.image import exif, webp_chunks
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.still import Size, Still
from image_similarity.inference.image.webp_chunks import ALPHA, CODINGS, EXIF, EXTENDED, FRAME, LOSSY, Chunk

SIGNATURE = re.compile(rb"RIFF.{4}WEBP", re.DOTALL)
ANIMATED, HAS_EXIF, HAS_ALPHA = 0x02, 0x08, 0x10
"""Flags of an extended header. Like libwebp and browsers, this reader ignores chunks that the flags don't
announce; but a lossless picture itself says whether it has alpha."""
EXTENDED_HEADER = struct.Struct("<B3x3s3s")
FRAME_HEADER = struct.Struct("<3s3s3s3s3xB")
NO_PICTURE = "the WebP has no picture in it, or is truncated; send the whole file."


@dataclass(frozen=True, slots=True)
class _Picture:
    """One coded picture: its chunks, alpha first; its size; whether its alpha is used."""

    kept: tuple[Chunk, ...]
    size: Size
    alpha: bool


@dataclass(frozen=True, slots=True)
class _Extended:
    """The content of an extended header."""

    flags: int
    canvas: Size


class _Parts:
    """What the chunks of an extended file said."""

    def __init__(self, extended: _Extended) -> None:
        self.extended = extended
        self.offset = (0, 0)
        self.orientation: int | None = None
        self._frame: _Picture | None = None
        self._still: list[Chunk] = []

    @property
    def picture(self) -> _Picture:
        """The still picture, or the first frame."""
        return self._frame or _picture(self._still, self.extended)

    def take(self, chunk: Chunk) -> None:
        """Keep, read or drop the next chunk of the file."""
        kind, flags = chunk.kind, self.extended.flags
        if kind == EXTENDED:
            raise BrokenImageError("the WebP has more than one header; save it again.")
        if kind == EXIF and flags & HAS_EXIF and self.orientation is None:
            self.orientation = exif.orientation(chunk.content)
        elif kind == FRAME and flags & ANIMATED and self._frame is None:
            self.offset, self._frame = _frame(chunk.content, self.extended)
        elif (kind == ALPHA or kind in CODINGS) and not flags & ANIMATED:
            self._still.append(chunk)


def read(data: bytes) -> Still:
    """Read the chunks of the first picture, and the first Exif, which follows the pictures.

    Of an animation, the first frame is taken, at its place on a white canvas.

    Raises:
        BrokenImageError: there is no complete picture, its header is impossible, its sizes disagree, or there
            are more than MAX_CHUNKS chunks.
    """
    chunks = webp_chunks.chunks(data)
    first = next(chunks, None)
    if first is None:
        raise BrokenImageError(NO_PICTURE)
    if first.kind in CODINGS:
        picture = _picture([first], None)
        return _still(picture, picture.size)
    if first.kind != EXTENDED:
        raise BrokenImageError("the WebP does not begin with a picture or a header; save it again.")
    parts = _Parts(_extended(first.content))
    for chunk in chunks:
        parts.take(chunk)
    picture, canvas = parts.picture, parts.extended.canvas
    if not parts.extended.flags & ANIMATED and picture.size != canvas:
        raise BrokenImageError("the WebP's header and its picture state two sizes; save it again.")
    if any(at + side > end for at, side, end in zip(parts.offset, picture.size, canvas, strict=True)):
        raise BrokenImageError("the WebP's first frame is not within its canvas; save it again.")
    return _still(picture, canvas, parts.offset, parts.orientation or exif.UPRIGHT)


def _still(
    picture: _Picture, canvas: Size, offset: tuple[int, int] = (0, 0), orientation: int = exif.UPRIGHT
) -> Still:
    file = write(picture.size, picture.kept, alpha=picture.alpha)

    def load(_reduction: int) -> Image.Image:
        decoded = _decoded(file)
        return decoded if decoded.size == canvas else _on_canvas(decoded, canvas, offset)

    return Still(canvas, load, orientation)


def _extended(content: bytes) -> _Extended:
    if len(content) < EXTENDED_HEADER.size:
        raise BrokenImageError("the WebP's header is not as long as it must be; save it again.")
    flags, width, height = EXTENDED_HEADER.unpack_from(content)
    return _Extended(flags, (_number(width) + 1, _number(height) + 1))


def _frame(content: bytes, extended: _Extended) -> tuple[tuple[int, int], _Picture]:
    """An animation's frame: its offset on the canvas, and its picture."""
    if len(content) < FRAME_HEADER.size:
        raise BrokenImageError("the WebP's first frame is not as long as its header; save it again.")
    left, top, width, height, _ = FRAME_HEADER.unpack_from(content)
    picture = _picture(webp_chunks.inner(content, FRAME_HEADER.size), extended)
    if picture.size != (_number(width) + 1, _number(height) + 1):
        raise BrokenImageError("the WebP's first frame and its picture state two sizes; save it again.")
    return (2 * _number(left), 2 * _number(top)), picture


def _number(three_bytes: bytes) -> int:
    return int.from_bytes(three_bytes, "little")


def _picture(chunks: Iterable[Chunk], extended: _Extended | None) -> _Picture:
    """The coded picture among the chunks of a frame, or of a file."""
    alphas: list[Chunk] = []
    coded: Chunk | None = None
    for chunk in chunks:
        if chunk.kind in CODINGS or chunk.kind == ALPHA:
            if coded is not None or (alphas and chunk.kind == ALPHA):
                raise BrokenImageError("the WebP's chunks are not in order; save it again.")
            if chunk.kind == ALPHA:
                alphas.append(chunk)
            else:
                coded = chunk
    if coded is None:
        raise BrokenImageError(NO_PICTURE)
    size, alpha = webp_chunks.coded_size(coded)
    flags = extended.flags if extended else 0
    if coded.kind == LOSSY:  # only this coding has its alpha in a chunk of its own
        kept = alphas if flags & HAS_ALPHA else []
        return _Picture((*kept, coded), size, bool(kept))
    return _Picture((coded,), size, alpha)


def write(size: Size, kept: Iterable[Chunk], *, alpha: bool) -> bytes:
    """A file of one still picture: parsing it gives these chunks again."""
    sides = ((side - 1).to_bytes(3, "little") for side in size)
    header = Chunk(EXTENDED, EXTENDED_HEADER.pack(HAS_ALPHA if alpha else 0, *sides))
    wanted = [header, *kept]
    file = webp_chunks.written(wanted)
    if list(webp_chunks.chunks(file)) != wanted:
        raise AssertionError("a WebP was written that does not read as it was meant")
    return file


def _decoded(file: bytes) -> Image.Image:
    # Pillow's own parser is bypassed: its decoder passes the bytes to libwebp as they are.
    decoder = _webp.WebPAnimDecoder(file)
    size, *_, layout = decoder.get_info()
    pixels, _time = decoder.get_next()
    del decoder  # frees its two canvases before the picture is copied again
    if layout == "RGBA":
        return Image.frombuffer("RGBA", size, pixels, "raw", "RGBA", 0, 1)
    return Image.frombytes("RGB", size, pixels, "raw", layout)


def _on_canvas(picture: Image.Image, canvas: Size, offset: tuple[int, int]) -> Image.Image:
    whole = Image.new("RGB", canvas, "white")
    whole.paste(picture, offset, picture if picture.mode == "RGBA" else None)
    return whole
