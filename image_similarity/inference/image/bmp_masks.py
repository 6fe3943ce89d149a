"""BMP's bit fields: masks that say which bits of a pixel hold each colour."""

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.still import Size

Masks = tuple[int, int, int, int]
"""Red, green, blue and alpha; 0 is none."""
FIRST_MASK = 54
# Layouts that Pillow's codec unpacks by itself: mode, and its name for the bytes.
FAST: dict[tuple[int, Masks], tuple[str, str]] = {
    (16, (0xF800, 0x7E0, 0x1F, 0)): ("RGB", "BGR;16"),
    (16, (0x7C00, 0x3E0, 0x1F, 0)): ("RGB", "BGR;15"),
    (24, (0xFF0000, 0xFF00, 0xFF, 0)): ("RGB", "BGR"),
    (32, (0xFF0000, 0xFF00, 0xFF, 0)): ("RGB", "BGRX"),
    (32, (0xFF000000, 0xFF0000, 0xFF00, 0)): ("RGB", "XBGR"),
    (32, (0xFF, 0xFF00, 0xFF0000, 0)): ("RGB", "RGBX"),
    (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)): ("RGBA", "BGRA"),
    (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)): ("RGBA", "RGBA"),
    (32, (0xFF000000, 0xFF0000, 0xFF00, 0xFF)): ("RGBA", "ABGR"),
}
UNSTATED: Masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
"""Where all masks of 32 bits are 0."""
ROWS_AT_ONCE = 64
IMPOSSIBLE = "the BMP states bit fields that can't be; save it as PNG."


def read(data: bytes, header_bytes: int, bits: int, *, alpha: bool) -> Masks:
    """The masks in the header, or right after a header of 40 bytes.

    Args:
        data: the file.
        header_bytes: the header's size; one of 52 bytes has three masks, a longer one four.
        bits: bits of a pixel.
        alpha: whether a header of 40 bytes is followed by a fourth mask.

    Raises:
        BrokenImageError: the masks overlap, one has gaps or exceeds the pixel, or all are 0.
    """
    count = 4 if header_bytes >= 56 or (alpha and header_bytes < 52) else 3
    try:
        stated = struct.unpack_from(f"<{count}I", data, FIRST_MASK)
    except struct.error as error:
        raise BrokenImageError("the BMP is truncated; send the whole file.") from error
    red, green, blue, opacity = (*stated, 0)[:4]
    masks = (red, green, blue, opacity)
    if not any(masks) and bits == 32:
        return UNSTATED
    together = 0
    for mask in masks:
        if mask & together or mask >= 1 << bits or not _is_run_of_ones(mask):
            raise BrokenImageError(IMPOSSIBLE)
        together |= mask
    if not together:
        raise BrokenImageError(IMPOSSIBLE)
    return masks


def _is_run_of_ones(mask: int) -> bool:
    low = mask & -mask
    return mask & (mask + low) == 0


def unpacked(rows: bytes | memoryview, size: Size, bits: int, masks: Masks) -> Image.Image:
    """Unpack pixels with arbitrary masks, in the order of the rows: RGB, or RGBA where alpha has a mask."""
    width, height = size
    stored = np.frombuffer(rows, np.uint8).reshape(height, -1)[:, : width * bits // 8]
    bands = 4 if masks[3] else 3
    pixels = np.empty((height, width, bands), np.uint8)
    for first in range(0, height, ROWS_AT_ONCE):
        part = np.s_[first : first + ROWS_AT_ONCE]
        words = _words(stored[part], bits // 8)
        for band in range(bands):
            pixels[part][..., band] = _levels(words, masks[band])
    return Image.fromarray(pixels)


def _words(rows: NDArray[np.uint8], word_bytes: int) -> NDArray[np.uint32]:
    samples = rows.reshape(len(rows), -1, word_bytes).astype(np.uint32)
    words: NDArray[np.uint32] = samples[..., 0]
    for place in range(1, word_bytes):
        words = words | samples[..., place] << np.uint32(8 * place)
    return words


def _levels(words: NDArray[np.uint32], mask: int) -> NDArray[np.uint32]:
    """The masked bits as levels of 0 to 255."""
    if not mask:
        return np.zeros_like(words)
    shift = (mask & -mask).bit_length() - 1
    highest = mask >> shift
    values = (words & np.uint32(mask)) >> np.uint32(shift)
    if highest > 255:
        return values >> np.uint32(highest.bit_length() - 8)
    return values * np.uint32(255) // np.uint32(highest)
