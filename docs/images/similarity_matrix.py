"""Draws similarity-matrix.png: `python docs/images/similarity_matrix.py [FILE]`."""

import io
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from skimage import data

from image_similarity import Encoder

THUMBNAIL = (72, 72)
FIGURE_INCHES = 7.2
RESOLUTION = 110
COLOURS = 256  # a palette: a third of the bytes


def pictures() -> list[Image.Image]:
    """Two cats and two cups that are one picture each, and two others (all CC0 or public domain)."""
    cat, cup = (Image.fromarray(picture()).convert("RGB") for picture in (data.chelsea, data.coffee))
    brighter = ImageEnhance.Brightness(ImageOps.mirror(cat.crop((40, 20, 411, 280)))).enhance(1.2)
    small = ImageOps.grayscale(cup.resize((150, 100))).convert("RGB")
    others = [Image.fromarray(picture()).convert("RGB") for picture in (data.astronaut, data.rocket)]
    return [cat, brighter, cup, small, *others]


def draw(images: list[Image.Image], similarities: NDArray[np.float32], file: Path) -> None:
    """The matrix with the pictures at its rows and columns."""
    mpl.use("Agg")
    figure, axes = plt.subplots(figsize=(FIGURE_INCHES, FIGURE_INCHES))
    axes.imshow(similarities, cmap="viridis", vmin=0.5, vmax=1)
    for (row, column), value in np.ndenumerate(similarities):
        axes.text(
            column, row, f"{value:.2f}", ha="center", va="center", color="black" if value > 0.8 else "white"
        )
    axes.set_axis_off()
    for index, image in enumerate(images):
        _place(axes, image, (-1, index))
        _place(axes, image, (index, -1))
    axes.set_xlim(-1.5, len(images) - 0.5)
    axes.set_ylim(len(images) - 0.5, -1.5)
    figure.tight_layout(pad=0.3)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=RESOLUTION, metadata={"Software": None})
    plt.close(figure)
    Image.open(drawn).convert("RGB").quantize(COLOURS).save(file, optimize=True)


def _place(axes: Axes, image: Image.Image, position: tuple[float, float]) -> None:
    thumbnail = np.asarray(ImageOps.fit(image, THUMBNAIL))
    axes.add_artist(AnnotationBbox(OffsetImage(thumbnail, zoom=0.9), position, frameon=False))


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("similarity-matrix.png")
    shown = pictures()
    vectors = Encoder().embed(shown)
    draw(shown, (1 + vectors @ vectors.T) / 2, target)
