"""The schemes of int8 for one model, as a Markdown table.

Runs in .venv-export: python -m bench.report.schemes --model M --pretrained P [--checkpoint FILE].
"""

import argparse
import json
from pathlib import Path

from bench.measure.schemes import Measured, measure
from bench.report.tables import table
from image_similarity.inference.export import checkpoint, graph, torchscript
from image_similarity.inference.export.parity import LIMITS
from image_similarity.inference.export.tower import ImageTower

HEAD = ["scheme", "lowest cosine", "gate", "time", "times float", "MB"]


def rows(measured: list[Measured]) -> list[list[str]]:
    """A row for each scheme; the first is the float model."""
    return [
        [
            one.scheme,
            f"{one.cosine:.4f}",
            "passes" if one.cosine >= LIMITS["int8"] else "**fails**",
            f"{one.milliseconds:.1f} ms",
            f"{measured[0].milliseconds / one.milliseconds:.1f}",
            f"{one.megabytes:.0f}",
        ]
        for one in measured
    ]


def main() -> None:
    """Print the table of the model that the command line names, as the exporter's does."""
    parser = argparse.ArgumentParser(prog="python -m bench.report.schemes", description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--pretrained")
    parser.add_argument("--checkpoint", type=Path)
    parser.add_argument("--preprocessing", type=Path)
    options = parser.parse_args()
    settings = json.loads(options.preprocessing.read_text("utf-8")) if options.preprocessing else None
    if options.checkpoint and torchscript.is_archive(options.checkpoint):
        loaded = torchscript.load(options.model, options.pretrained, options.checkpoint, settings)
        tower = torchscript.tower(loaded)
    else:
        loaded = checkpoint.load(options.model, options.pretrained, options.checkpoint, settings)
        tower = ImageTower(loaded.visual, loaded.preprocessing)
    model = graph.simplified(tower, loaded.preprocessing.size)
    print(table(HEAD, rows(measure(model, loaded.preprocessing))))


if __name__ == "__main__":
    main()
