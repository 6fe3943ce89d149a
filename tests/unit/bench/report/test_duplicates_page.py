"""The page of the command line says what the record says."""

from bench.report.duplicates_page import PAGE, page


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text == page(text), "run: python -m bench.report.duplicates_page"
    assert text.count("<!-- made: ") == text.count("<!-- end -->") == 3
