"""What a score means for one model, as Markdown and as a plot.

python -m bench.report.calibration [--model DIR] [--images DIR] [--record]: the tables on standard output, the
plot in docs/figures; --record keeps the numbers that the command line and the API Explorer go by.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from bench.measure import calibration
from bench.measure.calibration import Calibration
from bench.measure.paths import CALIBRATIONS, EMBEDDED, FIGURES
from bench.measure.scenes import pictures as bundled
from bench.report.tables import table
from image_similarity.inference.encoder import OnnxEncoder

THRESHOLDS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
COPIES = ("half size", "200 pixels", "JPEG quality 20")
"""The alterations after which a picture is still a copy."""
REACHED = 0.949
"""19 of 20, but for rounding: 94 of 99 are enough."""


def markdown(scores: Calibration) -> str:
    """Two tables: scores by kind, and what each threshold lets through."""
    kinds = [*scores.altered.items(), ("all altered copies", scores.same())]
    kinds += [("two views of one scene", scores.views), ("different pictures", scores.different)]
    rows = []
    for kind, values in kinds:
        percentiles = np.percentile(values, [5, 50, 95])
        rows.append([kind, str(len(values)), *(f"{value:.3f}" for value in percentiles)])
    by_kind = table(["pair", "number", "5 % are below", "median", "5 % are above"], rows)
    return "\n\n".join([f"`{scores.model}`, {scores.pictures} pictures.", by_kind, _thresholds(scores)])


def _thresholds(scores: Calibration) -> str:
    rows = []
    for threshold in THRESHOLDS:
        shares = [float(np.mean(np.array(v) >= threshold)) for _, v, _ in _groups(scores)]
        rows.append([f"{threshold:.2f}", *(f"{share:.1%}" for share in shares)])
    head = ["altered copies found", "views of one scene found", "different pictures passed"]
    return table(["threshold", *head], rows, first="---:")


def numbers(scores: Calibration) -> dict[str, object]:
    """What is kept of a calibration; image_similarity/thresholds.py says what the numbers are."""
    copies = [value for kind in COPIES for value in scores.altered[kind]]
    kinds = {"copies": copies, "edits": scores.same(), "scenes": scores.views}
    median, most = np.percentile(scores.different, [50, 95])
    return {
        "pictures": scores.pictures,
        "thresholds": {kind: _reached(values) for kind, values in kinds.items()},
        "different": {
            "median": round(float(median), 3),
            "most": round(float(most), 3),
            "highest": round(max(scores.different), 3),
        },
    }


def _reached(values: list[float]) -> float:
    """The highest step of 0.01 that REACHED of the values reach."""
    return next(
        step / 100 for step in range(100, -1, -1) if np.mean(np.array(values) >= step / 100) >= REACHED
    )


def record(scores: Calibration, path: Path) -> None:
    """Keep the numbers of a model beside those of the others."""
    models = json.loads(path.read_text("utf-8"))["models"] | {scores.model: numbers(scores)}
    path.write_text(json.dumps({"models": models}, indent=2) + "\n", "utf-8")


def _groups(scores: Calibration) -> list[tuple[str, list[float], str]]:
    """Label, scores and colour, from the likest pairs to the least like."""
    return [
        ("altered copies", scores.same(), "#2f6f8f"),
        ("two views of one scene", scores.views, "#c9a227"),
        ("different pictures", scores.different, "#b0503c"),
    ]


def plot(scores: Calibration, path: Path) -> None:
    """The three distributions of scores."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 3.2), layout="constrained")
    bins = np.linspace(0.4, 1, 61).tolist()
    for label, values, colour in reversed(_groups(scores)):
        weights = np.full(len(values), 100 / len(values))
        axes.hist(values, bins, weights=weights, label=label, color=colour, alpha=0.75)
    axes.set(xlabel="similarity", ylabel="% of pairs", title=f"What a score means: {scores.model}")
    axes.legend(frameon=False, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> int:
    """Measures, prints and plots; 1 when the directory has too few pictures."""
    parser = argparse.ArgumentParser(prog="python -m bench.report.calibration", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=EMBEDDED, help="a folder made by image_similarity.inference.export"
    )
    parser.add_argument("--images", type=Path, help="your pictures, every one another scene (default: ours)")
    parser.add_argument("--record", action="store_true", help=f"keep the numbers in {CALIBRATIONS.name}")
    arguments = parser.parse_args()
    chosen = calibration.load(arguments.images) if arguments.images else bundled()
    if len(chosen) < 10:
        print(f"calibrate: {len(chosen)} pictures found, at least 10 are needed", file=sys.stderr)
        return 1
    encoder = OnnxEncoder(arguments.model, threads=2)
    scores = calibration.measure(encoder, chosen)
    print(markdown(scores))
    figure = FIGURES / f"calibration-{encoder.name.split('/')[0].lower()}.png"
    plot(scores, figure)
    print(f"\nplot: {figure}", file=sys.stderr)
    if arguments.record:
        record(scores, CALIBRATIONS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
