"""From a decoded picture to the model's upright square, by one resampling."""

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

WHOLE = 4  # pictures up to this aspect ratio are resized whole

Box = tuple[float, float, float, float]


class Geometry:
    """Where the model's square lies in a stored picture of `size` (width, height) and Exif `orientation`.

    The square is what torchvision's Resize and CenterCrop cut from the upright picture, as open_clip uses
    them. Longer pictures than WHOLE are cut and resampled in one step, with the same filter weights: a
    4096 x 1 picture would be scaled to 917504 x 224 first otherwise, 800 MB of it to be thrown away. The
    others are resized whole and cut then, because Pillow picks the order of its two passes by the box, and
    each order rounds otherwise: one step in every seventh pixel, which moved vectors to cosine 0.9997.
    """

    def __init__(self, size: tuple[int, int], orientation: int, preprocessing: Preprocessing) -> None:
        self._side = preprocessing.size
        self._filter = FILTERS[preprocessing.interpolation]
        self._swap, self._mirror, self._flip = TURNS[orientation]
        self._stored = size
        width, height = size[::-1] if self._swap else size
        scaled = _scaled(width, height, preprocessing)
        self._scaled = scaled[::-1] if self._swap else scaled
        self._cut = self._stored_box(*scaled)

    def cut(self, picture: Image.Image, scale: float) -> Image.Image:
        """The square, upright, from a picture that the decoder made `scale` times smaller than stored."""
        width, height = self._stored[0] / scale, self._stored[1] / scale
        if max(self._scaled) <= WHOLE * self._side:
            box = _inside(picture, (0.0, 0.0, width, height))
            left, top, right, bottom = self._cut
            square = picture.resize(self._scaled, self._filter, box=box).crop((left, top, right, bottom))
        else:
            across, down = width / self._scaled[0], height / self._scaled[1]
            left, top, right, bottom = self._cut
            box = _inside(picture, (left * across, top * down, right * across, bottom * down))
            square = picture.resize((self._side, self._side), self._filter, box=box)
        if self._swap:
            square = square.transpose(Image.Transpose.TRANSPOSE)
        if self._mirror:
            square = square.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if self._flip:
            square = square.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        return square

    def _stored_box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The square in the scaled picture of this upright size, in the stored orientation."""
        # As torchvision: the offset is rounded half to even.
        left, top = round((width - self._side) / 2), round((height - self._side) / 2)
        right, bottom = left + self._side, top + self._side
        if self._mirror:
            left, right = width - right, width - left
        if self._flip:
            top, bottom = height - bottom, height - top
        return (top, left, bottom, right) if self._swap else (left, top, right, bottom)


def _scaled(width: int, height: int, preprocessing: Preprocessing) -> tuple[int, int]:
    """Width and height that the upright picture is resized to; as torchvision, the long side is truncated."""
    size, short = preprocessing.size, min(width, height)
    if preprocessing.resize_mode == "squash":
        return size, size
    return (
        size if width == short else int(size * width / short),
        size if height == short else int(size * height / short),
    )


def _inside(picture: Image.Image, box: Box) -> Box:
    """`box` without the millionth of a pixel by which the division may step over the last one."""
    return box[0], box[1], min(box[2], picture.width), min(box[3], picture.height)
