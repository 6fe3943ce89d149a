"""The page is the rows."""

from verify.checks.all import ROWS
from verify.document import DOCUMENT, page


def test_the_page_is_generated_from_the_rows() -> None:
    assert DOCUMENT.read_text("utf-8") == page(), "run python -m verify.document"


def test_every_row_that_changes_parameters_names_them() -> None:
    for row in ROWS:
        assert bool(row.steps) == bool(row.changed), row.name
        assert not row.fails or row.steps, row.name
