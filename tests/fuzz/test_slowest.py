"""The search for dear bytes finds a slow way that is there, and none such in what runs before the gate."""

import pytest

from image_similarity.inference.json_body import MAX_BODY_BYTES
from tests.fuzz import slowest
from tests.fuzz.slowest import TARGETS, Recipe, search, seconds_for_a_megabyte

SIZE = 200_000
BOUND = 0.3  # seconds of processor time for a whole body: what is known takes 0.07, str.translate took 0.37


def slow_in_text(data: bytes) -> None:
    """The way that there was: str.translate, which is slow where one character is not ASCII."""
    data.decode("utf-8", "replace").translate(str.maketrans("", "", "\r\n"))


def test_a_slow_way_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TARGETS, "planted", (slow_in_text, Recipe(b"", b"QUJD", b"")))
    before = seconds_for_a_megabyte(slow_in_text, b"QUJD" * (SIZE // 4))
    worst, recipe, _ = search("planted", 2, size=SIZE, least=60)
    assert worst > 5 * before
    assert not recipe.made(SIZE).isascii()


@pytest.mark.parametrize("name", ["request", "inline"])
def test_what_runs_before_the_gate_is_quick_for_a_whole_body(name: str) -> None:
    worst, recipe, _ = search(name, 0, least=30)
    assert worst * MAX_BODY_BYTES / 1e6 < BOUND, recipe


def test_a_body_of_commas_is_as_cheap_as_base64() -> None:
    """Each hit once cost a call of Python: 0.24 s for a megabyte."""
    target, _ = TARGETS["request"]
    commas = b"," * SIZE
    assert seconds_for_a_megabyte(target, commas) < BOUND / 10


def test_recipes_have_the_size_that_is_asked() -> None:
    made = Recipe(b"<", b"ab", b">").made(100)
    assert (len(made), made[:3], made[-3:]) == (100, b"<ab", b"ab>")
    assert slowest.Recipe(b"", b"x" * 200, b"").made(100) == b"x" * 200
