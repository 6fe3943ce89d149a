"""Fills the tables of docs/command-line.md: python -m bench.report.duplicates_page."""

import json

from bench.measure import typed_json
from bench.measure.duplicates.record import Duplicates
from bench.measure.paths import RESULTS, ROOT
from bench.report.catalogue_page import BLOCK
from bench.report.catalogue_tables import when
from bench.report.tables import table

PAGE = ROOT / "docs" / "command-line.md"
OURS = "image-similarity"
COLUMNS = (f"{OURS} --find copies", f"{OURS} --find edits", "PHash default", "DHash default", "PHash tuned")
"""Of the table by kind."""


def record() -> Duplicates:
    """The last measurement."""
    return typed_json.read(Duplicates, json.loads((RESULTS / "duplicates.json").read_text("utf-8")))


def times(found: Duplicates) -> str:
    """Seconds and memory by folder and tool."""
    rows = []
    for one in found.commands:
        of = f"{one.files:,} files, {one.photographs} photographs"
        rows.append([of, f"{OURS}, first run", f"{one.first_seconds:.0f} s", f"{one.peak_mb:.0f} MB"])
        rows.append([of, "second run", f"{one.second_seconds:.1f} s", ""])
        report = f"with a report of {one.report_mb:.0f} MB"
        rows.append([of, report, f"{one.report_seconds:.0f} s", f"{one.report_peak_mb:.0f} MB"])
        rows += [
            [of, f"imagededup, {other.method}", f"{other.seconds:.0f} s", f"{other.peak_mb:.0f} MB"]
            for other in found.hashes
            if other.files == one.files
        ]
    head = table(["folder", "tool", "time", "memory"], rows)
    return f"`{found.model}`; imagededup {found.imagededup}.\n\n{head}\n\n{when(found.circumstances)}"


def accuracy(found: Duplicates) -> str:
    """Precision and recall of the largest folder, and what its groups are like."""
    rows = [
        [row.tool, row.threshold, f"{row.accuracy.precision:.1%}", f"{row.accuracy.recall:.1%}"]
        for row in found.rows
    ]
    largest = max(found.commands, key=lambda one: one.files)
    text = (
        f"`pairs` shows groups in which any two pictures are alike: here {largest.groups:,} groups. "
        f"{largest.group_precision:.1%} of the pairs in them show one photograph, and {largest.grouped:.1%} "
        "of the altered copies share a group with another file of their photograph."
    )
    shown = table(["tool", "threshold", "precision", "recall"], rows)
    return f"{largest.files:,} files of {largest.photographs} photographs.\n\n{shown}\n\n{text}"


def kinds(found: Duplicates) -> str:
    """Recall by alteration."""
    by_name = {f"{row.tool} {row.threshold.split(':')[0]}": row.accuracy.by_kind for row in found.rows}
    rows = [
        [kind, *(f"{by_name[name][number]:.0%}" for name in COLUMNS)]
        for number, kind in enumerate(found.kinds)
    ]
    return table(["recall of", *COLUMNS], rows)


def page(text: str) -> str:
    """The page with its tables made anew.

    Raises:
        KeyError: it asks for a table that does not exist.
    """
    found = record()
    made = {"times": times, "accuracy": accuracy, "kinds": kinds}
    return BLOCK.sub(lambda block: f"{block[1]}{made[block[2]](found)}\n{block[3]}", text)


def write() -> None:
    """Write the page."""
    PAGE.write_text(page(PAGE.read_text("utf-8")), encoding="utf-8")


if __name__ == "__main__":
    write()
