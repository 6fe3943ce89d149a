"""What the similarity of words and pictures means: measured, and printed."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.report.words import main, measure, read
from image_similarity import Encoder
from tests.support.text_tower import EMBEDDED, model_with_words

NAMES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@pytest.fixture(scope="module")
def captioned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A model whose words for ten pictures are exact but for two, which are changed for each other."""
    root = tmp_path_factory.mktemp("captions")
    chance = np.random.default_rng(0)
    for name in NAMES:
        pixels = chance.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((96, 96)).save(root / f"{name}.png")
    vectors = dict(zip(NAMES, Encoder(EMBEDDED).embed([root / f"{name}.png" for name in NAMES]), strict=True))
    vectors["one"], vectors["two"] = vectors["two"], vectors["one"]
    captions = root / "captions.tsv"
    captions.write_text("".join(f"{name}.png\t{name}\n" for name in NAMES))
    return model_with_words(root / "model", vectors), captions


@pytest.mark.slow
def test_scores_of_words(captioned: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    model, captions = captioned
    words = measure(Encoder(model), read(captions))
    assert (words.pictures, len(words.own), len(words.others)) == (10, 10, 90)
    np.testing.assert_allclose(words.own[2:], 1, atol=1e-4)
    assert (words.ranks[:2] >= 1).all()
    assert (words.ranks[2:] == 0).all()
    assert main(["--model", str(model), "--captions", str(captions)]) == 0
    printed = capsys.readouterr().out
    assert "10 texts, 10 pictures" in printed
    assert "80.0% have their picture first, 100.0% among the first ten" in printed
    assert "| threshold | own pictures found | other pictures passed |" in printed


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("one.png one\n", "line 1: expected a picture's path, a tab"),
        ("one.png\tone\n", "1 pictures found, at least 10"),
    ],
)
def test_what_is_no_list(
    captioned: tuple[Path, Path],
    tmp_path: Path,
    lines: str,
    sentence: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "captions.tsv").write_text(lines)
    assert main(["--model", str(captioned[0]), "--captions", str(tmp_path / "captions.tsv")]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_a_model_without_words(captioned: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", str(EMBEDDED), "--captions", str(captioned[1])]) == 1
    assert "has no text tower" in capsys.readouterr().err
