"""What a report shows of a picture: a thumbnail, its size, how sharp it is and how old."""

import base64
import io
import os
from dataclasses import dataclass

import numpy as np
from PIL import Image

from image_similarity.cli.pictures import UnreadablePicture, read
from image_similarity.inference.image import MOST_PIXELS, UNREADABLE, formats
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import flatten
from image_similarity.inference.image.geometry import TURNS

SIDE = 512
REDUCTIONS = (8, 4, 2)
MANY = 2000


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """How large thumbnails are: pixels of the longest side, and the quality of their WebP."""

    side: int
    quality: int

    @classmethod
    def of(cls, pictures: int) -> "Thumbnails":
        """For a page of so many, which a browser has to hold: 15 kB each, 4 kB where they are very many."""
        return cls(384, 70) if pictures <= MANY else cls(160, 60)


@dataclass(frozen=True, slots=True)
class Face:
    """A picture's facts.

    Attributes:
        width, height: in pixels, upright.
        size: of the file in bytes.
        modified: when it was written, seconds since 1970.
        sharpness: the variance of the Laplacian of its grey values at SIDE pixels, by their own variance, so
            that more light or contrast counts for nothing: more is sharper.
        thumbnail: a WebP as a `data:` URL.
    """

    width: int
    height: int
    size: int
    modified: float
    sharpness: float
    thumbnail: str

    @property
    def pixels(self) -> int:
        """How many there are."""
        return self.width * self.height


def look(path: str, thumbnails: Thumbnails) -> Face:
    """Read a picture once more.

    Raises:
        UnreadablePicture: it is gone, or changed into none.
    """
    data = read(path)
    status = os.stat(path)  # noqa: PTH116 - its name may be no text
    try:
        still = formats.read(data)
        width, height = still.size
        reduction = next((by for by in REDUCTIONS if max(still.size) // by >= SIDE), 1)
        if still.pixels(reduction) > MOST_PIXELS:
            raise UnreadablePicture("it has too many pixels for a thumbnail.")
        picture = flatten(still.load(reduction)).convert("RGB")
    except (BrokenImageError, *UNREADABLE) as error:
        raise UnreadablePicture("it is no longer a complete picture.") from error
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    sharpness = _sharpness(picture)
    if still.orientation in TURNS:
        turned = picture.transpose(TURNS[still.orientation])
        if turned.size != picture.size and turned.size == picture.size[::-1]:
            width, height = height, width
        picture = turned
    return Face(width, height, len(data), status.st_mtime, sharpness, _thumbnail(picture, thumbnails))


def _sharpness(picture: Image.Image) -> float:
    grey = np.asarray(picture.convert("L"), dtype=np.float32)
    if min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    around = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    contrast = float(np.var(grey))
    return float(np.var(around - 4 * middle)) / contrast if contrast else 0.0


def _thumbnail(picture: Image.Image, thumbnails: Thumbnails) -> str:
    picture.thumbnail((thumbnails.side, thumbnails.side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=thumbnails.quality)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
