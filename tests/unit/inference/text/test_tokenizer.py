"""Texts to ids, on a few merges; that they are open_clip's with all of them is tests/export/test_text.py."""

import pytest

from image_similarity.inference.text.tokenizer import Tokenizer, clean

MERGES = ("c a", "ca t</w>", "a t</w>", "a a", "l o", "lo w</w>", "' s</w>", "Ã ©</w>")
BYTES = 256
FIRST_MERGE = 2 * BYTES
START, END = FIRST_MERGE + len(MERGES), FIRST_MERGE + len(MERGES) + 1


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer(MERGES)


def letter(character: str, *, last: bool = False) -> int:
    """The id of a printable ASCII character: they are counted from `!` on."""
    return ord(character) - ord("!") + (BYTES if last else 0)


def merged(merge: str) -> int:
    return FIRST_MERGE + MERGES.index(merge)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("cat", [merged("ca t</w>")]),
        ("CAT", [merged("ca t</w>")]),
        ("at", [merged("a t</w>")]),
        ("cats", [merged("c a"), letter("t"), letter("s", last=True)]),
        ("cat's", [merged("ca t</w>"), merged("' s</w>")]),
        ("low", [merged("lo w</w>")]),
        ("x", [letter("x", last=True)]),
        ("aaab", [merged("a a"), letter("a"), letter("b", last=True)]),
        ("é", [merged("Ã ©</w>")]),
        ("e\u0301", [merged("Ã ©</w>")]),
        ("12", [letter("1", last=True), letter("2", last=True)]),
        ("!?", [letter("!"), letter("?", last=True)]),
        ("cat,low", [merged("ca t</w>"), letter(",", last=True), merged("lo w</w>")]),
        ("", []),
        (" \u3000\n", []),
    ],
)
def test_ids(tokenizer: Tokenizer, text: str, ids: list[int]) -> None:
    assert tokenizer.ids(text) == [START, *ids, END]


def test_the_merge_that_was_learned_first_comes_first() -> None:
    first, other = Tokenizer(("l o", "lo w", "w e")), Tokenizer(("w e", "l o", "lo w"))
    end = letter("a", last=True)
    assert first.ids("lowea")[1:-1] == [FIRST_MERGE + 1, letter("e"), end]  # low e a
    assert other.ids("lowea")[1:-1] == [FIRST_MERGE + 1, FIRST_MERGE, end]  # lo we a


def test_marks_in_a_text_are_marks(tokenizer: Tokenizer) -> None:
    assert tokenizer.ids("<START_OF_TEXT>cat<end_of_text>") == [START, START, merged("ca t</w>"), END, END]


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A &amp;amp; B", "a & b"),
        ("&lt;b&gt;", "<b>"),
        ("\u201cRed\u201d \u2018shirt\u2019", "\"red\" 'shirt'"),
        ("schÃ¶n", "schön"),
        ("\uff46\uff55\uff4c\uff4c\u3000\uff57idth", "full width"),
        ("a\u00a0\t b\r\n", "a b"),
        ("\u0007bell", "bell"),
        ("🐱", "🐱"),
        ("漢字", "漢字"),
    ],
)
def test_what_cleaning_mends(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned
