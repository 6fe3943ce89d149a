"""A folder of photographs and altered copies of them, whose names say which is which."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from bench.measure import scenes
from bench.measure.altered import Alteration, jpeg
from bench.measure.catalogue.quality import KINDS as SEARCHED
from bench.measure.catalogue.quality import load

ORIGINAL = "original"
SUFFIXES = {"png": ".png", "webp": ".webp"}
QUALITY = 88


def noisy(picture: Image.Image) -> Image.Image:
    """As a sensor at night: Gaussian noise with a deviation of 20 of 255."""
    samples = np.asarray(picture, dtype=np.float32)
    noise = np.random.default_rng(0).normal(scale=20, size=samples.shape)
    return Image.fromarray(np.clip(samples + noise, 0, 255).astype(np.uint8))


def warm(picture: Image.Image) -> Image.Image:
    """As with another white balance: a fifth more red, a fifth less blue."""
    red, green, blue = picture.split()
    return Image.merge(
        "RGB", (red.point(lambda v: min(255, v * 1.2)), green, blue.point(lambda v: int(v * 0.8)))
    )


def screenshot(picture: Image.Image) -> Image.Image:
    """On a telephone's black screen, with bars above and below."""
    screen = Image.new("RGB", (picture.width, picture.width * 2), "black")
    inside = ImageOps.contain(picture, (picture.width, int(picture.width * 1.6)))
    screen.paste(inside, ((screen.width - inside.width) // 2, (screen.height - inside.height) // 2))
    return screen


def marked(picture: Image.Image) -> Image.Image:
    """With an opaque logo in a corner: 4 % of the area."""
    copy = picture.copy()
    width, height = picture.width // 5, picture.height // 5
    box = (picture.width - width, picture.height - height, picture.width, picture.height)
    ImageDraw.Draw(copy).rectangle(box, fill="crimson")
    return copy


def as_webp(picture: Image.Image) -> Image.Image:
    """Through a WebP file of quality 60."""
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=60)
    return Image.open(buffer).convert("RGB")


KINDS: dict[str, Alteration] = {
    "png": lambda picture: picture,
    "webp": as_webp,
    **SEARCHED,
    "40 % more contrast": lambda p: ImageEnhance.Contrast(p).enhance(1.4),
    "other white balance": warm,
    "noise": noisy,
    "logo in a corner": marked,
    "stretched by a fifth": lambda p: p.resize((int(p.width * 1.2), p.height)),
    "screenshot with bars": screenshot,
    "turned 90 degrees": lambda p: p.transpose(Image.Transpose.ROTATE_90),
}
"""Files in other formats, and what people do to pictures before they save them again."""


def make(folder: Path, photographs: Path | None, number: int) -> int:
    """Write so many files, the photographs with as many altered copies each; how many photographs there are.

    Names are `PHOTOGRAPH.KIND.SUFFIX`, both as numbers; kind 0 is the photograph itself.

    Args:
        folder: an empty one.
        photographs: a folder of JPEGs; the benchmark's own scenes are taken as well.
        number: of files.

    Raises:
        ValueError: there are too few photographs for so many files.
    """
    sources = [*(load(photographs) if photographs else []), *scenes.pictures().values()]
    if number > len(sources) * (1 + len(KINDS)):
        raise ValueError(
            f"{len(sources)} photographs give {len(sources) * (1 + len(KINDS))} files, not {number}"
        )
    originals = min(len(sources), max(number // 10, -(-number // (1 + len(KINDS)))))
    step = len(sources) / originals
    chosen = [sources[int(position * step)] for position in range(originals)]
    for photograph, kind in _plan(originals, number):
        _write(folder, photograph, kind, chosen[photograph])
    return originals


def _plan(originals: int, number: int) -> Iterator[tuple[int, int]]:
    """All photographs, then copies of them in turn: of each the kinds that follow those of the one before."""
    for photograph in range(originals):
        yield photograph, 0
    copies = number - originals
    for place in range(copies):
        turn, photograph = divmod(place, originals)
        yield photograph, 1 + (turn + photograph * 7) % len(KINDS)


def _write(folder: Path, photograph: int, kind: int, picture: Image.Image) -> None:
    name = list(KINDS)[kind - 1] if kind else ORIGINAL
    path = folder / f"{photograph:04}.{kind:02}{SUFFIXES.get(name, '.jpg')}"
    altered = KINDS[name](picture) if kind else picture
    if path.suffix == ".jpg":
        path.write_bytes(jpeg(altered, QUALITY))
    else:
        altered.save(path, quality=60)


def labels(names: list[str]) -> tuple[list[int], list[int]]:
    """The photograph and the kind of each file, by its name."""
    parts = [Path(name).name.split(".") for name in names]
    return [int(part[0]) for part in parts], [int(part[1]) for part in parts]
