"""Fills the tables of docs/catalogue.md: python -m bench.report.catalogue_page.

The text between them is written by hand; each table stands between two comments, and is made anew.
"""

import json
import re

from bench.cost.curve import curve
from bench.measure import typed_json
from bench.measure.paths import RESULTS, ROOT
from bench.measure.results import Run
from bench.report import catalogue_tables as tables

PAGE = ROOT / "docs" / "catalogue.md"
BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def page(text: str) -> str:
    """The page with its tables made anew.

    Raises:
        KeyError: it asks for a table that does not exist.
    """
    seconds = curve(typed_json.read(Run, json.loads((RESULTS / "full.json").read_text())))
    made = {
        "costs": lambda: tables.costs(seconds),
        "rates": lambda: tables.rates(seconds),
        "times": lambda: tables.times(seconds),
        "scale": tables.scale,
        "quality": tables.quality,
        "folders": tables.folders,
    }
    return BLOCK.sub(lambda block: f"{block[1]}{made[block[2]]()}\n{block[3]}", text)


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
