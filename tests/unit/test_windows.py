"""The rules of cmd.exe and of the C runtime of Windows, by the examples of Microsoft's own page."""

import pytest

from tests.support.windows import cmd_arguments, passed_on, split

ARGUMENTS = {  # learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
    r'"abc" d e': ["abc", "d", "e"],
    r'a\\b d"e f"g h': [r"a\\b", "de fg", "h"],
    r"a\\\"b c d": [r"a\"b", "c", "d"],
    r'a\\\\"b c" d e': [r"a\\b c", "d", "e"],
    r'a"b"" c d': ['ab" c d'],
    r'"" x': ["", "x"],
    r"a\ b\\": ["a\\", "b\\\\"],
    r'"a\\" "b"""': ["a\\", 'b"'],
    r'"a\\"" b"': ['a\\" b'],
    "": [],
}


@pytest.mark.parametrize(("line", "arguments"), ARGUMENTS.items())
def test_the_c_runtime_splits_as_its_page_says(line: str, arguments: list[str]) -> None:
    assert split(line) == arguments


def test_a_caret_joins_lines_and_takes_a_meaning() -> None:
    assert passed_on('a ^\n--b ^& ^^ "^&"') == 'a --b & ^ "^&"'


@pytest.mark.parametrize("text", ["a & b", "a %PATH%", "a\nb", r'c "{\"u\": \"h?a=1&b\"}"'])
def test_what_cmd_would_do_otherwise_is_no_command(text: str) -> None:
    """A quotation mark after a backslash ends cmd's quoting all the same: `&` behind it ends the command."""
    with pytest.raises(ValueError, match=r"cmd\.exe"):
        cmd_arguments(text)


def test_an_ampersand_of_an_address_takes_a_caret_and_a_percent_sign_another() -> None:
    text = r'curl --data-raw "{\"url\": \"https://example.com/%%20?a=1^&b=2\"}"'
    assert cmd_arguments(text) == ["curl", "--data-raw", '{"url": "https://example.com/%20?a=1&b=2"}']
