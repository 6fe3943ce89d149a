"""The page's texts: the same in every language, each one used, each one there."""

import json
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "api_explorer" / "page"
LANGUAGES = sorted(file.stem for file in (PAGE / "texts").iterdir())
SINGULAR = ".one"
"""Languages without a singular (Chinese) lack these."""
KEY = r"[\w-]+(?:\.[\w-]+)+"


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((PAGE / "texts" / f"{language}.json").read_text("utf-8"))
    return found


def base(key: str) -> str:
    return re.sub(r"\.(one|other)$", "", key)


def sources() -> str:
    return "".join(file.read_text("utf-8") for file in [*PAGE.glob("*.js"), PAGE / "index.html"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_the_same(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert {key for key in english if not key.endswith(SINGULAR)} == {
        key for key in other if not key.endswith(SINGULAR)
    }
    for key, text in other.items():
        assert text.strip() == text != "", key
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", english[key])), key


def test_chinese_is_written_with_its_own_punctuation() -> None:
    for key, text in texts("zh").items():
        assert not re.search(r"[\u4e00-\u9fff][,;:?!.]", text), f"{key}: {text}"


def test_every_text_that_is_named_is_there() -> None:
    named = set(re.findall(rf'(?:data-t(?:-[\w-]+)?=|\b(?:t|say|told|button)\([^)"`]*)"({KEY})"', sources()))
    assert len(named) > 30
    assert named <= {base(key) for key in texts("en")}


def test_every_text_is_named() -> None:
    """By its whole key, or by the start of one that is put together: `kind.${kind}`."""
    code = sources()
    whole = set(re.findall(rf'["`]({KEY})["`]', code))
    starts = tuple(re.findall(r"`([\w-]+\.(?:[\w-]+[.-])?)\$\{", code))
    unused = {key for key in map(base, texts("en")) if key not in whole and not key.startswith(starts)}
    assert unused == set()
