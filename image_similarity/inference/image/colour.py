"""Every sample layout of the accepted formats becomes grey, RGB or CMYK of 8 bits."""

import numpy as np
from PIL import Image

TRANSPARENCY = "transparency"


def flatten(picture: Image.Image) -> Image.Image:
    """Make a picture that can be resampled, mode L, RGB or CMYK; transparency becomes white."""
    if picture.mode == "I;16":
        return _from_16_bits(picture)
    if TRANSPARENCY in picture.info or picture.mode in {"LA", "PA", "RGBA"}:
        return _on_white(picture.convert("RGBA"))
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in {"L", "RGB", "CMYK"} else picture.convert("RGB")


def _on_white(picture: Image.Image) -> Image.Image:
    # Conversion to RGB alone would reveal whatever colour transparent pixels happen to have.
    white = Image.new("RGB", picture.size, "white")
    white.paste(picture, mask=picture)
    return white


def _from_16_bits(picture: Image.Image) -> Image.Image:
    """The high byte, as Pillow's readers keep of colour samples; its own conversion of grey clips."""
    samples = np.asarray(picture, dtype=np.uint16)
    grey = (samples >> 8).astype(np.uint8)
    if TRANSPARENCY in picture.info:
        grey[samples == picture.info[TRANSPARENCY]] = 255
    return Image.fromarray(grey)
