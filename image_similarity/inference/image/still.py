"""What the reader of each format returns: what the header says, and how to decode the pixels."""

from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from image_similarity.inference.image import exif

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Still:
    """The picture of a file whose header was read; no pixel is decoded yet.

    Attributes:
        size: width and height in pixels, as the file states them.
        load: decodes the pixels, in mode 1, L, LA, P, RGB, RGBA, CMYK or I;16. Its argument is the largest
            acceptable reduction (1, 2, 4 or 8): the picture may be smaller than `size` by that factor.
        orientation: Exif's, 1 to 8.
        streams: whether a reduced picture is decoded without the whole one being in memory.
    """

    size: Size
    load: Callable[[int], Image.Image]
    orientation: int = exif.UPRIGHT
    streams: bool = False

    def pixels(self, reduction: int) -> int:
        """How many are in memory while it is decoded so much smaller."""
        width, height = self.size
        by = reduction if self.streams else 1
        return -(-width // by) * -(-height // by)
