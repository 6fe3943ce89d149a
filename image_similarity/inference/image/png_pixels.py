"""The pixels of a PNG file, inflated and unfiltered by Pillow's codec."""

import struct
from dataclasses import dataclass

import numpy as np
from PIL import Image

from image_similarity.inference.image import png_rows
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import TRANSPARENCY

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
"""Pillow's name for samples of the other byte order: the bytes that it reads as high are the low ones."""
STRIP_ROWS = 128
SAMPLES = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
SPARE_BYTES = 64 * 1024


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
        """Bytes of the pixels once they are inflated."""
        bits = self.bits * SAMPLES[self.colour]
        return png_rows.size(self.width, self.height, bits, interlaced=self.interlaced)

    @property
    def most_compressed_bytes(self) -> int:
        """An upper bound of the compressed pixels, however badly a program compresses.

        Without it, 20 MiB of empty deflate blocks before one pixel would keep a processor busy for 1.5 s.
        """
        row = -(-self.width * self.bits * SAMPLES[self.colour] // 8) + 1
        passes = 2 if self.interlaced else 1  # seven passes, each with a filter byte for each row
        return passes * row * self.height * 9 // 8 + SPARE_BYTES


def decoded(header: Header, compressed: bytes, palette: bytes, transparency: bytes) -> Image.Image:
    """Inflate and unfilter the pixels; palette and transparency are kept as Pillow keeps them.

    Args:
        header: the file's.
        compressed: the content of its IDAT chunks.
        palette: the content of its PLTE chunk, or empty.
        transparency: the content of its tRNS chunk, or empty.

    Raises:
        BrokenImageError: the pixels are damaged or too few, or their data is too long.
    """
    mode, delivered = LAYOUTS[header.bits, header.colour]
    picture = _inflated(header, compressed, mode, delivered)
    if _may_lack_rows(header, picture) and not png_rows.all_there(compressed, header.row_bytes):
        raise BrokenImageError("the PNG has fewer pixels than it states; send the whole file.")
    if palette:
        picture.putpalette(palette)
    if transparency and (header.bits, header.colour) == (16, RGB):
        low_bytes = _inflated(header, compressed, mode, LOW_BYTES)
        return _without_colour(picture, low_bytes, transparency)
    if transparency:
        picture.info[TRANSPARENCY] = _transparent(header, transparency)
    return picture


def _may_lack_rows(header: Header, picture: Image.Image) -> bool:
    """Whether the last row looks unwritten: a valid stream may end before the picture does."""
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
    except ValueError as error:  # too few pixels, or damaged data
        if len(compressed) > limit:
            raise BrokenImageError(
                f"the PNG has {len(compressed)} bytes of compressed pixels, and a picture of its size needs "
                f"less than {limit}; save it again."
            ) from error
        raise BrokenImageError("the PNG's pixels are damaged or truncated; send the whole file.") from error


def _without_colour(high_bytes: Image.Image, low_bytes: Image.Image, colour: bytes) -> Image.Image:
    """White where the samples equal the transparent colour in all 16 bits."""
    wanted = [list(colour[first::2]) for first in (0, 1)]
    width, height = high_bytes.size
    for top in range(0, height, STRIP_ROWS):  # strip by strip, without a second copy of all samples
        box = (0, top, width, min(top + STRIP_ROWS, height))
        high, low = (np.asarray(samples.crop(box)) for samples in (high_bytes, low_bytes))
        hidden = np.all((high == wanted[0]) & (low == wanted[1]), axis=2)
        high_bytes.paste("white", box, Image.fromarray(hidden))
    return high_bytes


def _transparent(header: Header, content: bytes) -> bytes | int | tuple[int, ...]:
    """The alpha of each palette entry, or the transparent sample or colour, scaled as Pillow does it."""
    if header.colour == PALETTE:
        return content
    samples: tuple[int, ...] = struct.unpack(f">{len(content) // 2}H", content)
    if header.colour == RGB:
        return tuple(sample & 255 for sample in samples)
    highest: int = 2**header.bits - 1
    sample = samples[0] & highest  # section 11.3.1.1: the low bits count
    return sample * 255 // highest if header.bits < 8 else sample
