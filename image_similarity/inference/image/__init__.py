"""An image file becomes the encoder's input: upright, RGB, square."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference.errors import ImageTooLarge, InvalidImage
from image_similarity.inference.image import formats
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import flatten
from image_similarity.inference.image.geometry import upright_square
from image_similarity.inference.image.still import Size, Still
from image_similarity.inference.manifest import Preprocessing

MAX_SIDE = 4096
MOST_PIXELS = 200_000_000
"""The limit for callers' own pictures: no camera makes more, and decoding takes at most 800 MB."""
REDUCTIONS = (8, 4, 2)
"""Factors by which libjpeg can shrink a JPEG while it decodes, without a loss of quality that matters."""

UNREADABLE = (
    *(OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, AttributeError),
    *(EOFError, RuntimeError, struct.error, zlib.error),
)
"""What Pillow raises for files that it can't decode. Not MemoryError: sizes are checked first, so it means
that the machine is short of memory. Nor AssertionError, which is a bug of ours."""


def decode(
    data: bytes, *, preprocessing: Preprocessing, max_side: int | None = MAX_SIDE
) -> NDArray[np.uint8]:
    """Decode one file as open_clip's evaluation transform would, after orientation and transparency.

    Args:
        data: a whole JPEG, PNG, BMP or WebP file, recognised by its first bytes.
        preprocessing: the size and resampling that the model expects.
        max_side: the limit of each side in pixels; None: MOST_PIXELS in memory is the only limit.

    Returns:
        uint8 [S, S, 3], RGB, upright, with S = preprocessing.size.

    Raises:
        InvalidImage: not an accepted format, broken or truncated.
        ImageTooLarge: it exceeds the limit; no pixel was decoded.
    """
    with _refusing_unreadable():
        still = formats.read(data)
    reduction = _reduction(still.size, preprocessing)
    _check_size(still, reduction, max_side)
    with _refusing_unreadable():
        picture = still.load(reduction)
        square = upright_square(flatten(picture), still.size, still.orientation, preprocessing)
    return np.asarray(square.convert("RGB"), dtype=np.uint8)


def _check_size(still: Still, reduction: int, max_side: int | None) -> None:
    width, height = still.size
    if max_side is not None and max(still.size) > max_side:
        limit = f"the longest side may have {max_side}"
    elif still.pixels(reduction) > MOST_PIXELS:
        limit = f"it may have {MOST_PIXELS // 1_000_000} million in all"
    else:
        return
    raise ImageTooLarge(f"the image is {width} x {height} pixels; {limit}. Scale it down.")


@contextmanager
def _refusing_unreadable() -> Iterator[None]:
    try:
        yield
    except BrokenImageError as error:
        raise InvalidImage(str(error)) from error
    except UNREADABLE as error:
        raise InvalidImage("the image is broken or truncated; send a whole file.") from error


def _reduction(stored: Size, preprocessing: Preprocessing) -> int:
    """How much smaller a JPEG may be decoded: the short side keeps draft_factor times the model's."""
    if not preprocessing.draft_factor:
        return 1
    shortest = preprocessing.draft_factor * preprocessing.size
    return next((reduction for reduction in REDUCTIONS if min(stored) // shortest >= reduction), 1)
