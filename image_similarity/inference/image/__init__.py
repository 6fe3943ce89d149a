"""An image file becomes the encoder's input: upright, RGB, square."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin

from image_similarity.inference.errors import ImageTooLarge, InvalidImage
from image_similarity.inference.image import bmp, exif, jpeg, png
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import flatten
from image_similarity.inference.image.geometry import upright_square
from image_similarity.inference.manifest import Preprocessing

MAX_SIDE = 4096

UNREADABLE = (
    *(OSError, ValueError, SyntaxError, ArithmeticError, LookupError, TypeError, AttributeError),
    *(EOFError, AssertionError, RuntimeError, struct.error, zlib.error),
)
"""What Pillow raises for files that it can't read. Not MemoryError: the sizes are checked before, so that
one is the machine's and not the file's."""


def decode(data: bytes, *, field: str, preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """Decode one file as open_clip's evaluation transform would, after orientation and transparency.

    Args:
        data: a whole JPEG, PNG or BMP file, recognised by its first bytes.
        field: the request field that it came from, for messages.
        preprocessing: size and resampling that the model was made for.

    Returns:
        uint8 [S, S, 3], RGB, upright, with S = preprocessing.size.

    Raises:
        InvalidImage: not an accepted format, broken or truncated.
        ImageTooLarge: the longest side is over MAX_SIDE pixels; no pixel was decoded.
    """
    with _refusing_unreadable(field):
        picture, orientation = _open(data)
    stored = width, height = picture.size
    if max(stored) > MAX_SIDE:
        raise ImageTooLarge(
            f"{field}: the image is {width} x {height} pixels; the longest side may have {MAX_SIDE}. "
            "Scale it down."
        )
    with _refusing_unreadable(field):
        _draft(picture, preprocessing)
        picture.load()
        square = upright_square(flatten(picture), stored, orientation, preprocessing)
    return np.asarray(square.convert("RGB"), dtype=np.uint8)


@contextmanager
def _refusing_unreadable(field: str) -> Iterator[None]:
    try:
        yield
    except BrokenImageError as error:
        raise InvalidImage(f"{field}: {error}") from error
    except UNREADABLE as error:
        raise InvalidImage(f"{field}: the image is broken or truncated; send a whole file.") from error


def _open(data: bytes) -> tuple[Image.Image, int]:
    """Read the header only; the picture and its Exif orientation.

    The readers are named here: Pillow's registry has forty more, and a limit of its own that would answer
    before ours.
    """
    if data.startswith(jpeg.SIGNATURE):
        cleaned, orientation = jpeg.clean(data)
        return JpegImagePlugin.JpegImageFile(io.BytesIO(cleaned)), orientation
    if data.startswith(png.SIGNATURE):
        cleaned, orientation = png.clean(data)
        return png.scale_transparency(PngImagePlugin.PngImageFile(io.BytesIO(cleaned)), cleaned), orientation
    if data.startswith(bmp.SIGNATURE):
        return bmp.checked(BmpImagePlugin.BmpImageFile(io.BytesIO(data)), data), exif.UPRIGHT
    raise BrokenImageError("not a JPEG, PNG or BMP file; send one of these formats.")


def _draft(picture: Image.Image, preprocessing: Preprocessing) -> None:
    """Let libjpeg decode a large JPEG smaller."""
    if preprocessing.draft_factor and isinstance(picture, JpegImagePlugin.JpegImageFile):
        shortest = preprocessing.draft_factor * preprocessing.size
        picture.draft(None, (shortest, shortest))
