"""Groups of near-duplicates: by which number, and what a program gets of them."""

import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from image_similarity import __version__
from tests.support.command import run
from tests.support.photos import photo
from tests.unit.cli.strange_server import Reply, answering

CALIBRATED = "embedded/efficientnet_lite0-imagenet"


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """A cat, a small copy of it, a dark one, and a cup of coffee."""
    cat = photo("chelsea")
    cat.save(tmp_path / "a.png")
    cat.resize((225, 150)).save(tmp_path / "b.jpg")
    ImageEnhance.Brightness(cat.convert("L").convert("RGB")).enhance(0.5).save(tmp_path / "c.png")
    photo("coffee").save(tmp_path / "d.png")
    return tmp_path


@pytest.mark.slow
def test_json_has_the_pairs_with_their_scores_the_model_and_the_version(copies: Path) -> None:
    done = run("pairs", copies, "--threshold", 0.8, "--json")
    assert done.exit_code == 0, done.stderr
    (group,) = (json.loads(line) for line in done.stdout.splitlines())
    names = [str(copies / name) for name in ("a.png", "b.jpg", "c.png")]
    assert group["sources"] == names
    assert (group["model"], group["version"], group["threshold"]) == (CALIBRATED, __version__, 0.8)
    scores = {tuple(pair["sources"]): pair["similarity"] for pair in group["pairs"]}
    assert set(scores) == set(combinations(names, 2))
    assert group["similarity"] == min(scores.values()) >= 0.8
    for (first, second), score in scores.items():
        assert float(run("compare", first, second).stdout) == pytest.approx(score, abs=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "number"),
    [
        ([], "0.91"),
        (["--find", "copies"], "0.91"),
        (["--find", "edits"], "0.86"),
        (["--find", "scenes"], "0.8"),
        (["--threshold", "0.5"], "0.5"),
    ],
)
def test_the_number_is_shown(copies: Path, options: list[str], number: str) -> None:
    done = run("pairs", copies, *options)
    assert done.exit_code == 0, done.stderr
    assert f"a similarity of {number} or more" in done.stderr
    assert float(done.stdout.splitlines()[0]) >= float(number)


def test_one_number_is_enough(copies: Path) -> None:
    done = run("pairs", copies, "--find", "copies", "--threshold", 0.9)
    assert done.exit_code == 2
    assert "one of --threshold and --find" in done.stderr


def replies(vectors: np.ndarray, model: str = "other/model") -> list[Reply]:
    return [Reply({"result": vector.tolist()}, headers={"X-Model": model}) for vector in vectors]


def arc(*degrees: float) -> np.ndarray:
    """Unit vectors in one plane."""
    radians = np.radians(degrees)
    vectors = np.zeros((len(degrees), 512))
    vectors[:, 0], vectors[:, 1] = np.cos(radians), np.sin(radians)
    return vectors


@pytest.fixture
def five(tmp_path: Path) -> Path:
    for name in "abcde":
        Image.new("RGB", (8, 8), "red").save(tmp_path / f"{name}.png")
    return tmp_path


def test_a_model_without_a_calibration_has_a_cautious_number_and_no_names(five: Path) -> None:
    with answering(*replies(arc(0, 24, 60, 90, 120))) as server:
        options = ("pairs", five, "--url", server.url, "--jobs", 1)
        done = run(*options)
        assert "0.95 or more (a cautious number: other/model is not calibrated)" in done.stderr
        assert done.stdout.splitlines()[1:] == [f"  {five / 'a.png'}", f"  {five / 'b.png'}"]
    with answering(*replies(arc(0, 24, 60, 90, 120))) as server:
        done = run("pairs", five, "--url", server.url, "--jobs", 1, "--find", "edits")
        assert done.exit_code == 2
        assert "no calibration of the model other/model" in done.stderr
        assert len(server.batch_bodies) == 1


def test_nothing_is_chained(five: Path) -> None:
    """20 degrees are 0.97, 40 are 0.88: of a row of steps of 20, two neighbours are a group, never three."""
    with answering(*replies(arc(0, 20, 40, 60, 80))) as server:
        done = run("pairs", five, "--url", server.url, "--jobs", 1, "--threshold", 0.95, "--json")
    groups = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(group["sources"]) for group in groups] == [2, 2]
    assert all(pair["similarity"] >= 0.95 for group in groups for pair in group["pairs"])
    assert "1 more is like one of a group, but not like all of it" in done.stderr


def test_a_model_that_changes_on_the_way_ends_the_run(five: Path) -> None:
    answers = replies(arc(0), "one") + replies(arc(0), "two")
    with answering(*answers) as server:
        done = run("pairs", five, "--url", server.url, "--jobs", 1)
    assert done.exit_code == 2
    assert "model changed from one to two" in done.stderr


@pytest.mark.slow
def test_a_picture_that_fails_is_left_out_and_told(copies: Path) -> None:
    (copies / "bad.jpg").write_bytes(b"no picture")
    done = run("pairs", copies, "--threshold", 0.9)
    assert done.exit_code == 1
    assert "4 pictures, 1 group of" in done.stderr
    assert f"{copies / 'bad.jpg'}: InvalidImage" in done.stderr


@pytest.mark.slow
def test_many_copies_of_one_picture_are_one_group(tmp_path: Path, folder: Path) -> None:
    for number in range(30):
        shutil.copy(folder / "cat.jpg", tmp_path / f"{number:02}.jpg")
    lines = run("pairs", tmp_path, "--threshold", 1).stdout.splitlines()
    assert lines[0] == "1.000000"
    assert len(lines) == 31
