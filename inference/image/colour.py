"""Every sample layout of the accepted formats becomes grey, RGB, CMYK or RGBA of 8 bits."""

import numpy as np
from PIL import Image

TRANSPARENCY = "transparency"


def flatten(picture: Image.Image) -> Image.Image:
    """Make a picture that can be resampled: mode L, RGB, CMYK, or RGBA where it may be transparent.

    Pillow resamples RGBA with its colours weighted by alpha, so that the hidden colour of a transparent
    pixel does not leak into its neighbours.
    """
    if picture.mode == "I;16":
        return _from_16_bits(picture)
    if TRANSPARENCY in picture.info or picture.mode in {"LA", "PA", "RGBA"}:
        return picture.convert("RGBA")
    if picture.mode == "1":
        return picture.convert("L")
    return picture if picture.mode in {"L", "CMYK"} else picture.convert("RGB")


def on_white(picture: Image.Image) -> Image.Image:
    """RGB of what `flatten` made; transparency shows white."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")


def _from_16_bits(picture: Image.Image) -> Image.Image:
    """The high byte, as Pillow's own readers take it of colour samples; its conversion of grey would clip."""
    samples = np.asarray(picture, dtype=np.uint16)
    grey = Image.fromarray((samples >> 8).astype(np.uint8))
    if TRANSPARENCY not in picture.info:
        return grey
    opaque = Image.fromarray(np.where(samples == picture.info[TRANSPARENCY], 0, 255).astype(np.uint8))
    return Image.merge("RGBA", (grey, grey, grey, opaque))
