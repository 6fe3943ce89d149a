"""The readers that are compared: ours, Pillow as it is, and libvips where it is installed.

Each gives the square that the model would see of a file, [224, 224, 3], or raises.
"""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from image_similarity.inference.image import decode
from image_similarity.inference.manifest import Preprocessing
from tests.support.files import reference

try:
    import pyvips
except ImportError:
    pyvips = None

Square = NDArray[np.uint8]
# As the model that comes along has it; libjpeg's reduced decoding, which moves a few levels, is left out.
PREPROCESSING = Preprocessing(size=224, draft_factor=0)


def ours(data: bytes) -> Square:
    """This project's."""
    return decode(data, preprocessing=PREPROCESSING)


def pillow(data: bytes) -> Square:
    """Pillow's own: its choice of format, its orientation; what is transparent shows white."""
    with Image.open(io.BytesIO(data)) as opened:
        opened.load()
        picture = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I"):  # 16 bits, which Pillow's conversion would clip
        return _square(Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8)))
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(picture, mask=picture)
        picture = white
    return _square(picture)


def libvips(data: bytes) -> Square:
    """libvips': its own loaders, its orientation; what is transparent shows white."""
    picture = pyvips.Image.new_from_buffer(data, "").autorot()
    if picture.hasalpha():
        picture = picture.flatten(background=255 if picture.format == "uchar" else 65535)
    return _square(Image.fromarray(picture.colourspace("srgb").cast("uchar").numpy()[..., :3]))


def _square(picture: Image.Image) -> Square:
    return reference(picture if picture.mode in {"L", "CMYK"} else picture.convert("RGB"))


READERS: dict[str, Callable[[bytes], Square]] = {"ours": ours, "Pillow": pillow}
if pyvips is not None:
    READERS["libvips"] = libvips
