"""Real pictures: 33 different scenes that installed packages and the exporter bring. No network."""

from functools import cache
from pathlib import Path

import matplotlib
import skimage
import sklearn
from PIL import Image

from bench.measure.paths import PHOTOGRAPHS

_SKIMAGE = [
    *(
        "astronaut.png",
        "brick.png",
        "camera.png",
        "cell.png",
        "chelsea.png",
        "clock_motion.png",
        "coffee.png",
    ),
    *("coins.png", "color.png", "grass.png", "gravel.png", "horse.png", "hubble_deep_field.jpg", "ihc.png"),
    *("moon.png", "motorcycle_left.png", "page.png", "retina.jpg", "rocket.jpg", "text.png", "logo.png"),
]


@cache
def files() -> dict[str, Path]:
    """Name to file; every one is another scene."""
    paths = [
        *(Path(skimage.__file__).parent / "data" / name for name in _SKIMAGE),
        *sorted((Path(sklearn.__file__).parent / "datasets" / "images").glob("*.jpg")),
        Path(matplotlib.__file__).parent / "mpl-data" / "sample_data" / "grace_hopper.jpg",
        *sorted(PHOTOGRAPHS.glob("*.jpg")),
    ]
    return {path.stem: path for path in paths}


@cache
def pictures() -> dict[str, Image.Image]:
    """Name to RGB picture, transparency on white, at most 640 pixels on the long side."""
    return {name: _load(path) for name, path in files().items()}


def _load(path: Path) -> Image.Image:
    with Image.open(path) as source:
        picture = source.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    flat = Image.alpha_composite(white, picture).convert("RGB")
    flat.thumbnail((640, 640), Image.Resampling.LANCZOS)
    return flat
