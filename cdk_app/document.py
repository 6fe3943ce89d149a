"""The tables of parameters and flags in docs/deploy.md: `python -m cdk_app.document` writes them anew."""

from collections.abc import Iterable
from itertools import groupby

from cdk_app.build_rows import BUILD_FLAGS
from cdk_app.config import ROOT, defaults
from cdk_app.constraints import Constraint, OneOf
from cdk_app.parameter_rows import PARAMETERS
from cdk_app.table import Row

DOCUMENT = ROOT / "docs" / "deploy.md"
BEGIN = "<!-- from cdk_app/parameter_rows.py and build_rows.py, by python -m cdk_app.document -->"
END = "<!-- end of the tables -->"
LISTED = 6  # of a longer list, only this many values are shown


def tables() -> str:
    """A table for each group of the console, and one for each group of other flags."""
    sections = [
        f"**{group}**\n\n{_table(rows)}"
        for group, rows in groupby((*PARAMETERS, *BUILD_FLAGS), key=lambda row: row.group)
    ]
    return "\n\n".join(sections)


def written(text: str) -> str:
    """The document's text with its tables anew. Raises ValueError where a marker is missing."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _table(rows: Iterable[Row]) -> str:
    lines = ["| flag | parameter | default | values | |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*lines, *(_line(row) for row in rows)])


def _line(row: Row) -> str:
    name = f"`{row.name}`" if row.name else "-"
    default = f"`{row.default}`" if row.default else "empty"
    allowed = _allowed(row, row.flag_rule(defaults()))
    return f"| `{row.flag}` | {name} | {default} | {allowed} | {row.text} |"


def _allowed(row: Row, rule: Constraint) -> str:
    if not isinstance(rule, OneOf):
        return str(rule).replace("|", "or")
    words = [_word(value, row.words.get(value, value)) for value in rule.values[:LISTED]]
    return ", ".join(words) + (", ..." if len(rule.values) > LISTED else "")


def _word(flag: str, parameter: str) -> str:
    return f"`{flag}`" if flag == parameter else f"`{flag}` (`{parameter}`)"


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text("utf-8")), "utf-8")
