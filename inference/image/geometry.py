"""From a decoded picture to the model's upright square, by one resampling of only the pixels that matter."""

from PIL import Image

from inference.manifest import Preprocessing

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

# Exif orientation (CIPA DC-008 table 6) as: swap rows and columns first, then mirror across, then up-down.
TURNS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


class Geometry:
    """Where the model's square lies in a stored picture of `size` (width, height) and Exif `orientation`.

    The square is what torchvision's Resize and CenterCrop cut from the upright picture, as open_clip uses
    them; but it is cut and resampled in one step, with the same filter weights. A 4096 x 1 picture would be
    scaled to 917504 x 224 first otherwise, 800 MB of it to be thrown away.
    """

    def __init__(self, size: tuple[int, int], orientation: int, preprocessing: Preprocessing) -> None:
        self._size = preprocessing.size
        self._filter = FILTERS[preprocessing.interpolation]
        self._swap, self._mirror, self._flip = TURNS[orientation]
        width, height = reversed(size) if self._swap else size
        self._box = _upright_box(width, height, preprocessing)
        self._box = self._stored_box(width, height)

    def cut(self, picture: Image.Image, scale: float) -> Image.Image:
        """The square, upright, from a picture that the decoder made `scale` times smaller than stored."""
        left, top, right, bottom = (edge / scale for edge in self._box)
        # Rounding in the division may step over the last pixel by less than a millionth.
        box = (left, top, min(right, picture.width), min(bottom, picture.height))
        square = picture.resize((self._size, self._size), self._filter, box=box)
        if self._swap:
            square = square.transpose(Image.Transpose.TRANSPOSE)
        if self._mirror:
            square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self._flip:
            square = square.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        return square

    def _stored_box(self, width: int, height: int) -> tuple[float, float, float, float]:
        left, top, right, bottom = self._box
        if self._mirror:
            left, right = width - right, width - left
        if self._flip:
            top, bottom = height - bottom, height - top
        return (top, left, bottom, right) if self._swap else (left, top, right, bottom)


def _upright_box(width: int, height: int, preprocessing: Preprocessing) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of the square in the upright picture's own pixels."""
    if preprocessing.resize_mode == "squash":
        return 0.0, 0.0, float(width), float(height)
    # As torchvision: the long side is truncated, the crop's offset is rounded half to even.
    size, short = preprocessing.size, min(width, height)
    scaled_width = size if width == short else int(size * width / short)
    scaled_height = size if height == short else int(size * height / short)
    left, top = round((scaled_width - size) / 2), round((scaled_height - size) / 2)
    across, down = width / scaled_width, height / scaled_height
    return left * across, top * down, (left + size) * across, (top + size) * down
