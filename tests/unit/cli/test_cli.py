"""The command line in this process."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.support.command import run


@pytest.fixture
def broken(tmp_path: Path, folder: Path) -> Path:
    """A folder in which one of two pictures is none."""
    (tmp_path / "a-broken.jpg").write_text("no picture by its content")
    (tmp_path / "b-cat.jpg").write_bytes((folder / "cat.jpg").read_bytes())
    return tmp_path


def test_embed_writes_json_lines_of_a_folder(folder: Path) -> None:
    done = run("embed", folder)
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(line["source"]).name for line in lines] == ["cat.jpg", "coffee.bmp", "cat.PNG"]
    for line in lines:
        assert line["model"].startswith("embedded/")
        assert np.linalg.norm(line["result"]) == pytest.approx(1, abs=1e-4)


def test_embed_writes_an_array_with_its_names(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "vectors.npy"
    done = run("embed", folder / "cat.jpg", folder / "coffee.bmp", "--output", file)
    assert done.exit_code == 0, done.stderr
    vectors = np.load(file)
    assert vectors.shape == (2, 512)
    assert vectors.dtype == np.float32
    index = json.loads(file.with_suffix(".json").read_text())
    assert index["sources"] == [str(folder / "cat.jpg"), str(folder / "coffee.bmp")]
    assert index["model"].startswith("embedded/")


def test_one_bad_picture_is_reported_and_does_not_stop_the_rest(broken: Path) -> None:
    done = run("embed", broken, broken / "missing.jpg", "-o", broken / "v.jsonl")
    assert done.exit_code == 1
    assert f"{broken / 'a-broken.jpg'}: InvalidImage" in done.stderr
    assert f"{broken / 'missing.jpg'}: it can't be read: No such file" in done.stderr
    lines = (broken / "v.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["source"]).name for line in lines] == ["b-cat.jpg"]


def test_compare_prints_a_number(folder: Path) -> None:
    same = run("compare", folder / "cat.jpg", folder / "cat.jpg")
    assert (same.exit_code, same.stdout) == (0, "1.000000\n")
    alike, other = (
        float(run("compare", folder / "cat.jpg", folder / name).stdout)
        for name in ("more/cat.PNG", "coffee.bmp")
    )
    assert other < 0.8 < alike < 1


def test_compare_names_the_picture_that_is_missing(folder: Path) -> None:
    done = run("compare", folder / "cat.jpg", "missing.jpg")
    assert done.exit_code == 1
    assert done.stderr.startswith("missing.jpg: it can't be read")


def test_pairs_finds_the_near_duplicates(folder: Path) -> None:
    done = run("pairs", folder, "--threshold", 0.9, "--json")
    assert done.exit_code == 0, done.stderr
    (group,) = (json.loads(line) for line in done.stdout.splitlines())
    assert [Path(name).name for name in group["sources"]] == ["cat.jpg", "cat.PNG"]
    assert 0.9 < group["similarity"] < 1
    assert "3 pictures, 1 group of" in done.stderr


def test_pairs_for_people_lists_each_group_under_its_similarity(folder: Path) -> None:
    lines = run("pairs", folder, "--threshold", 0.9).stdout.splitlines()
    assert float(lines[0]) > 0.9
    assert lines[1:] == [f"  {folder / 'cat.jpg'}", f"  {folder / 'more' / 'cat.PNG'}"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["embed", ".", "-o", "vectors.csv"], "must end in .npy or .jsonl"),
        (["embed", "{empty}"], "There is no picture"),
        (["pairs", "{empty}"], "There is no picture"),
        (["compare", "{cat}", "{cat}", "--local", "--stack", "x"], "one of --stack, --url and --local"),
        (["compare", "{cat}", "{cat}", "--url", "http://127.0.0.1:9/"], "can't be reached"),
        (["compare", "{cat}", "{cat}", "--url", "nonsense"], "can't be reached"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    folder: Path, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    filled = [argument.format(empty=tmp_path, cat=folder / "cat.jpg") for argument in arguments]
    done = run(*filled)
    assert done.exit_code == 2
    assert sentence in done.stderr


def test_a_missing_model_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    done = run("compare", folder / "cat.jpg", folder / "cat.jpg", MODEL_DIR=str(tmp_path))
    assert done.exit_code == 2
    assert done.stderr.startswith("error: ")


def test_help_lists_the_commands_and_the_exit_codes() -> None:
    text = " ".join(run("--help").stdout.split())
    for word in ("embed", "compare", "pairs", "Exit codes", "2 wrong use"):
        assert word in text
