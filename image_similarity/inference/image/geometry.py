"""From a decoded picture to the model's upright square, by one resampling."""

from PIL import Image

from image_similarity.inference.image import resample
from image_similarity.inference.image.resample import Box, Size
from image_similarity.inference.manifest import Preprocessing

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}

# What makes a stored picture upright, by its Exif orientation (CIPA DC-008 table 6).
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
FIRST_SIDEWAYS = 5  # orientations from here on have rows for columns
LAST_COLUMN_FIRST = frozenset({2, 3, 6, 7})
LAST_ROW_FIRST = frozenset({3, 4, 7, 8})
WHOLE = 4  # pictures up to this aspect ratio are resized whole


def upright_square(
    picture: Image.Image, stored: Size, orientation: int, preprocessing: Preprocessing
) -> Image.Image:
    """The square that torchvision's Resize and CenterCrop make of the upright picture, as in open_clip.

    Pictures longer than WHOLE are cropped and resampled in one step, with the same filter weights: otherwise
    a 4096 x 1 picture would first be scaled to 917504 x 224, only to throw 800 MB of it away. All others are
    turned, resized as a whole and then cropped, because Pillow chooses the order of its two passes by the
    box, and the order changes the rounding: every seventh pixel differed by one, and vectors moved to a
    cosine of 0.9997.

    Args:
        picture: the decoded picture, which may be smaller than the stored one.
        stored: width and height as the file states them.
        orientation: Exif's, 1 to 8.
        preprocessing: the square's side, the mode and the filter.
    """
    content = _content(picture, stored, orientation)
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    scaled = _scaled(stored[::-1] if orientation >= FIRST_SIDEWAYS else stored, preprocessing)
    side, pillows = preprocessing.size, FILTERS[preprocessing.interpolation]
    # As torchvision: the crop's offset is rounded half to even.
    left, top = round((scaled[0] - side) / 2), round((scaled[1] - side) / 2)
    cut = (left, top, left + side, top + side)
    if resample.serves(picture, scaled):
        return resample.shrink(picture, side, preprocessing.interpolation, _part(content, cut, scaled))
    if max(scaled) <= WHOLE * side:
        return picture.resize(scaled, pillows, box=content).crop(cut)
    return picture.resize((side, side), pillows, box=_part(content, cut, scaled))


def _content(picture: Image.Image, stored: Size, orientation: int) -> Box:
    """The part of an upright picture that holds pixels of the file, in its own coordinates.

    libjpeg rounds sizes up when it scales, so the last column and row may be only partly covered.
    """
    scale = round(stored[0] / picture.width)
    width, height = stored[0] / scale, stored[1] / scale
    spare_column, spare_row = picture.width - width, picture.height - height
    if orientation >= FIRST_SIDEWAYS:
        width, height, spare_column, spare_row = height, width, spare_row, spare_column
    left = spare_column if orientation in LAST_COLUMN_FIRST else 0.0
    top = spare_row if orientation in LAST_ROW_FIRST else 0.0
    return left, top, left + width, top + height


def _part(content: Box, cut: Box, scaled: Size) -> Box:
    """The crop of the scaled picture, in coordinates of the unscaled one."""
    across, down = (content[2] - content[0]) / scaled[0], (content[3] - content[1]) / scaled[1]
    # Rounding may move the edge past the last pixel by a millionth of one.
    return (
        content[0] + cut[0] * across,
        content[1] + cut[1] * down,
        min(content[0] + cut[2] * across, content[2]),
        min(content[1] + cut[3] * down, content[3]),
    )


def _scaled(upright: Size, preprocessing: Preprocessing) -> Size:
    """Width and height to resize the upright picture to; like torchvision, it truncates the long side."""
    size, (width, height), short = preprocessing.size, upright, min(upright)
    if preprocessing.resize_mode == "squash":
        return size, size
    return (
        size if width == short else int(size * width / short),
        size if height == short else int(size * height / short),
    )
