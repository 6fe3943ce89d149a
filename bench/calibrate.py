"""What a score means for one model: altered copies, two views of one scene, different pictures.

python -m bench.calibrate [--model DIR] [--images DIR]: Markdown on standard output, a plot in docs/figures.
"""

import argparse
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bench.paths import EMBEDDED, FIGURES
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from image_similarity.inference.similarity import score
from tests.data.altered import ALTERATIONS, png
from tests.data.pictures import pictures as bundled

SIDE = 640
THRESHOLDS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


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


def table(found: Calibration) -> str:
    """Two Markdown tables: scores by kind, and what each threshold lets through."""
    rows = [*found.altered.items(), ("all altered copies", found.same())]
    rows += [("two views of one scene", found.views), ("different pictures", found.different)]
    lines = [f"`{found.model}`, {found.pictures} pictures.", ""]
    lines += [
        "| pair | number | 5 % are below | median | 5 % are above |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for kind, values in rows:
        low, middle, high = np.percentile(values, [5, 50, 95])
        lines.append(f"| {kind} | {len(values)} | {low:.3f} | {middle:.3f} | {high:.3f} |")
    lines += [
        "",
        "| threshold | altered copies found | views of one scene found | different pictures passed |",
    ]
    lines.append("| ---: | ---: | ---: | ---: |")
    for threshold in THRESHOLDS:
        shares = [np.mean(np.array(v) >= threshold) for v in (found.same(), found.views, found.different)]
        lines.append(f"| {threshold:.2f} | {shares[0]:.1%} | {shares[1]:.1%} | {shares[2]:.1%} |")
    return "\n".join(lines)


def plot(found: Calibration, path: Path) -> None:
    """The three distributions of scores."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    bins = np.linspace(0.4, 1, 61).tolist()
    for label, values, colour in (
        ("different pictures", found.different, "#b0503c"),
        ("two views of one scene", found.views, "#c9a227"),
        ("altered copies", found.same(), "#2f6f8f"),
    ):
        weights = np.full(len(values), 100 / len(values))
        axes.hist(values, bins, weights=weights, label=label, color=colour, alpha=0.75)
    axes.set(xlabel="similarity", ylabel="% of pairs", title=f"What a score means: {found.model}")
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def load(directory: Path) -> dict[str, Image.Image]:
    """The JPEG, PNG and BMP files of a directory, upright, RGB, at most SIDE pixels."""
    found = {}
    for path in sorted(directory.iterdir()):
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".bmp"}:
            with Image.open(path) as source:
                picture = ImageOps.exif_transpose(source).convert("RGB")
            picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
            found[path.name] = picture
    return found


def _views(picture: Image.Image) -> tuple[Image.Image, Image.Image]:
    """Two crops of 60 % of the long side, which share a third of their area."""
    w, h = picture.size
    if w >= h:
        return picture.crop((0, 0, int(w * 0.6), h)), picture.crop((int(w * 0.4), 0, w, h))
    return picture.crop((0, 0, w, int(h * 0.6))), picture.crop((0, int(h * 0.4), w, h))


def _vector(encoder: OnnxEncoder, picture: Image.Image) -> NDArray[np.float32]:
    pixels = decode(png(picture), field="img", preprocessing=encoder.manifest.preprocessing)
    return encoder.encode(pixels[np.newaxis])[0]


def main() -> int:
    """Measures, prints and plots; 1 when the directory has too few pictures."""
    parser = argparse.ArgumentParser(prog="python -m bench.calibrate", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=EMBEDDED, help="a folder made by image_similarity.inference.export"
    )
    parser.add_argument("--images", type=Path, help="your pictures, every one another scene (default: ours)")
    arguments = parser.parse_args()
    chosen = load(arguments.images) if arguments.images else bundled()
    if len(chosen) < 10:
        print(f"calibrate: {len(chosen)} pictures found, at least 10 are needed", file=sys.stderr)
        return 1
    encoder = OnnxEncoder(arguments.model, threads=2)
    found = measure(encoder, chosen)
    print(table(found))
    figure = FIGURES / f"calibration-{encoder.name.split('/')[0].lower()}.png"
    plot(found, figure)
    print(f"\nplot: {figure}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
