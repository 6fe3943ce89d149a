"""Real pictures: 33 different scenes that installed packages and the exporter bring. No network."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

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


def _folder(package: str) -> Path:
    """Where a package lies; importing scikit-learn for its pictures would take over a second."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{package} is not installed")
    return Path(spec.origin).parent


@cache
def files() -> dict[str, Path]:
    """Name to file; every one is another scene."""
    paths = [
        *(_folder("skimage") / "data" / name for name in _SKIMAGE),
        *sorted((_folder("sklearn") / "datasets" / "images").glob("*.jpg")),
        _folder("matplotlib") / "mpl-data" / "sample_data" / "grace_hopper.jpg",
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
