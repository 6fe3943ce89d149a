"""The page of the catalogue says what the code and the records say."""

import pytest

from bench.report.catalogue_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: python -m bench.report.catalogue_page"
    assert text.count("<!-- made: ") == text.count("<!-- end -->") == 6


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError, match="weather"):
        page("<!-- made: weather -->\n<!-- end -->")
