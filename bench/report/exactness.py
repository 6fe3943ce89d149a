"""How exact each artifact is, as a Markdown table.

Runs in .venv-export: python -m bench.report.exactness [--images DIR].
"""

import argparse
import logging
from pathlib import Path

import numpy as np

from bench.measure.exactness import ARTIFACTS, cosines
from bench.measure.paths import PHOTOGRAPHS
from bench.report.tables import table


def main() -> None:
    """One row for each artifact."""
    parser = argparse.ArgumentParser(prog="python -m bench.report.exactness", description=__doc__)
    parser.add_argument("--images", type=Path, action="append", default=[], help="more photographs")
    logging.getLogger().setLevel(logging.ERROR)
    folders = [PHOTOGRAPHS, *parser.parse_args().images]
    rows = []
    for artifact in ARTIFACTS:
        values = cosines(artifact, folders)
        figures = (values.min(), np.percentile(values, 5), values.mean())
        under = int((values < 0.999).sum())
        rows.append([artifact.name, str(len(values)), *(f"{value:.6f}" for value in figures), str(under)])
    head = ["artifact", "photographs", "lowest cosine", "5 % are below", "mean", "under 0.999"]
    print(table(head, rows))


if __name__ == "__main__":
    main()
