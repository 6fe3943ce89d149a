"""Pictures made to fit into the API's limits before they are sent."""

import io

from PIL import Image

from image_similarity.cli.pictures import UnreadablePicture
from image_similarity.inference.image import MAX_SIDE, MOST_PIXELS, UNREADABLE, formats
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import flatten
from image_similarity.inference.image.geometry import TURNS
from image_similarity.inference.image.still import Still

SIDE = 2048
"""Pixels of the longest side of what is sent instead: nine times what the models see."""
QUALITY = 92
REDUCTIONS = (8, 4, 2)


def fitting(data: bytes, most_bytes: int) -> tuple[bytes, str | None]:
    """A file that the API takes: the same one, or where it is over a limit, a smaller JPEG.

    Args:
        data: a whole file.
        most_bytes: what it may have.

    Returns:
        The file, and what was done to it, as the end of a sentence; None where nothing was.

    Raises:
        UnreadablePicture: it is no picture, or broken.
    """
    try:
        still = formats.read(data)
        if len(data) <= most_bytes and max(still.size) <= MAX_SIDE:
            return data, None
        if still.pixels(_reduction(still)) > MOST_PIXELS:
            width, height = still.size
            raise UnreadablePicture(f"it has {width} x {height} pixels. Scale it down.")
        picture = _upright(still)
    except BrokenImageError as error:
        raise UnreadablePicture(f"{error} It was not sent.") from error
    except UNREADABLE as error:
        raise UnreadablePicture("it is broken or truncated; send a whole file. It was not sent.") from error
    side = SIDE
    while True:
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        smaller = _jpeg(picture)
        if len(smaller) <= most_bytes:
            before, after = (f"{width} x {height}" for width, height in (still.size, picture.size))
            return smaller, f"sent smaller, {after} pixels instead of {before}, to fit the API's limits"
        side = side * 3 // 4


def _reduction(still: Still) -> int:
    return next((by for by in REDUCTIONS if max(still.size) // by >= SIDE), 1)


def _upright(still: Still) -> Image.Image:
    picture = flatten(still.load(_reduction(still)))
    if still.orientation in TURNS:
        picture = picture.transpose(TURNS[still.orientation])
    return picture.convert("RGB")


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
