"""What a score means for one model: altered copies, two views of one scene, different pictures."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.measure.altered import ALTERATIONS, png
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from image_similarity.inference.similarity import score

SIDE = 640


@dataclass(frozen=True)
class Calibration:
    """Scores: by kind of alteration, of two views of one scene, and of different pictures."""

    model: str
    pictures: int
    altered: dict[str, list[float]]
    views: list[float]
    different: list[float]

    def same(self) -> list[float]:
        """The scores of all altered copies."""
        return [value for values in self.altered.values() for value in values]


def measure(encoder: OnnxEncoder, pictures: dict[str, Image.Image]) -> Calibration:
    """Every picture against its altered copies, its own two views, and every other picture."""
    original = {name: _vector(encoder, picture) for name, picture in pictures.items()}
    altered = {
        kind: [score(original[name], _vector(encoder, alter(picture))) for name, picture in pictures.items()]
        for kind, alter in ALTERATIONS.items()
    }
    views = [score(*(_vector(encoder, view) for view in _views(picture))) for picture in pictures.values()]
    different = [score(a, b) for a, b in combinations(original.values(), 2)]
    return Calibration(encoder.name, len(pictures), altered, views, different)


def load(directory: Path) -> dict[str, Image.Image]:
    """The JPEG, PNG, BMP and WebP files of a directory, upright, RGB, at most SIDE pixels."""
    pictures = {}
    for path in sorted(directory.iterdir()):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp", ".webp"}:
            with Image.open(path) as source:
                picture = ImageOps.exif_transpose(source).convert("RGB")
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            pictures[path.name] = picture
    return pictures


def _views(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Two crops of 60 % of the long side, which share a third of their area."""
    w, h = picture.size
    if w >= h:
        return picture.crop((0, 0, int(w * 0.6), h)), picture.crop((int(w * 0.4), 0, w, h))
    return picture.crop((0, 0, w, int(h * 0.6))), picture.crop((0, int(h * 0.4), w, h))


def _vector(encoder: OnnxEncoder, picture: Image.Image) -> NDArray[np.float32]:
    pixels = decode(png(picture), preprocessing=encoder.manifest.preprocessing)
    vector: NDArray[np.float32] = encoder.encode(pixels[np.newaxis])[0]
    return vector
