"""The search for dear bytes finds a slow way that is there, and none such in what runs before the gate."""

import pytest

from tests.fuzz import slowest
from tests.fuzz.slowest import TARGETS, Recipe, search, seconds_for_a_megabyte

SIZE = 200_000
BOUND = 0.05  # seconds of processor time for a megabyte; the slow way that there was took 0.07


def slow_in_text(data: bytes) -> None:
    """The way that there was: str.translate, which is slow where one character is not ASCII."""
    data.decode("utf-8", "replace").translate(str.maketrans("", "", "\r\n"))


def test_a_slow_way_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "planted", (slow_in_text, Recipe(b"", b"QUJD", b"")))
    before = seconds_for_a_megabyte(slow_in_text, b"QUJD" * (SIZE // 4))
    worst, recipe, _ = search("planted", 2, size=SIZE)
    assert worst > 5 * before
    assert not recipe.made(SIZE).isascii()


@pytest.mark.parametrize("name", ["request", "inline"])
def test_what_runs_before_the_gate_is_quick_for_each_byte(name: str) -> None:
    worst, recipe, tried = search(name, 2, size=SIZE)
    assert tried > 20
    assert worst < BOUND, recipe


def test_recipes_have_the_size_that_is_asked() -> None:
    made = Recipe(b"<", b"ab", b">").made(100)
    assert (len(made), made[:3], made[-3:]) == (100, b"<ab", b"ab>")
    assert slowest.Recipe(b"", b"x" * 200, b"").made(100) == b"x" * 200
