"""Altered copies of a picture, which a similarity service must recognise."""

import io
from collections.abc import Callable

from PIL import Image, ImageEnhance, ImageFilter, ImageOps

Alteration = Callable[[Image.Image], Image.Image]


def jpeg(picture: Image.Image, quality: int) -> bytes:
    """The picture as a JPEG file."""
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def png(picture: Image.Image) -> bytes:
    """The picture as a PNG file, without loss."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def crop(picture: Image.Image, part: float) -> Image.Image:
    """The middle `part` of each side."""
    w, h = picture.size
    left, top = w * (1 - part) / 2, h * (1 - part) / 2
    return picture.crop((int(left), int(top), int(w - left), int(h - top)))


def resaved(picture: Image.Image) -> Image.Image:
    """Through a strongly compressed JPEG."""
    return Image.open(io.BytesIO(jpeg(picture, 20))).convert("RGB")


ALTERATIONS: dict[str, Alteration] = {
    "half size": lambda p: p.resize((p.width // 2, p.height // 2)),
    "200 pixels": lambda p: ImageOps.contain(p, (200, 200)),
    "JPEG quality 20": resaved,
    "mirrored": ImageOps.mirror,
    "40 % brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.4),
    "40 % darker": lambda p: ImageEnhance.Brightness(p).enhance(0.6),
    "grey": lambda p: ImageOps.grayscale(p).convert("RGB"),
    "blurred": lambda p: p.filter(ImageFilter.GaussianBlur(max(p.size) / 256)),
    "middle 80 %": lambda p: crop(p, 0.8),
    "middle 60 %": lambda p: crop(p, 0.6),
    "turned 10 degrees": lambda p: p.rotate(10, Image.Resampling.BICUBIC, fillcolor=(128, 128, 128)),
}
