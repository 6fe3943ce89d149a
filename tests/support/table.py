"""A Markdown table, to be pasted into the documents."""

from collections.abc import Sequence

Row = dict[str, str | int]


def markdown(rows: Sequence[Row]) -> str:
    """The rows under their names, the first column to the left and the others to the right."""
    if not rows:
        return ""
    lines = [[str(name) for name in rows[0]], *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    ruler = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(_line(cells, widths) for cells in (lines[0], ruler, *lines[1:]))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = zip(cells, widths, strict=True)
    return (
        "| " + " | ".join([first[0].ljust(first[1]), *(cell.rjust(width) for cell, width in others)]) + " |"
    )
