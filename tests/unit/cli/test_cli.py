"""The command line in this process."""

import json
from pathlib import Path

import numpy as np
import pytest

from image_similarity import __version__
from image_similarity.thresholds import in_words
from tests.support.command import run, run_on


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


@pytest.mark.slow
def test_one_bad_picture_is_reported_and_does_not_stop_the_rest(broken: Path) -> None:
    done = run("embed", broken, broken / "missing.jpg", "-o", broken / "v.jsonl")
    assert done.exit_code == 1
    assert f"{broken / 'a-broken.jpg'}: InvalidImage" in done.stderr
    assert f"{broken / 'missing.jpg'}: it can't be read: No such file" in done.stderr
    lines = (broken / "v.jsonl").read_text().splitlines()
    assert [Path(json.loads(line)["source"]).name for line in lines] == ["b-cat.jpg"]


@pytest.mark.slow
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
        (["embed", "{empty}"], "No pictures found"),
        (["pairs", "{empty}"], "No pictures found"),
        (["compare", "{cat}", "{cat}", "--local", "--stack", "x"], "one of --stack, --url and --local"),
        (["compare", "{cat}", "{cat}", "--url", "http://127.0.0.1:9/"], "can't be reached"),
        (["compare", "{cat}", "{cat}", "--url", "nonsense"], "has to begin with http:// or https://"),
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
    for word in ("embed", "compare", "pairs", "Exit codes", "2 wrong usage"):
        assert word in text


@pytest.mark.slow
def test_compare_tells_what_the_number_means(folder: Path) -> None:
    for name, meaning in (
        ("cat.jpg", "the same picture"),
        ("more/cat.PNG", "a copy (0.91 or more)"),
        ("coffee.bmp", "unrelated (under 0.8)"),
    ):
        done = run("compare", folder / "cat.jpg", folder / name)
        assert done.stderr == f"{meaning}\n"
        facts = json.loads(run("compare", folder / "cat.jpg", folder / name, "--json").stdout)
        assert facts["similarity"] == float(done.stdout)
        assert facts["meaning"] == meaning
        assert facts["model"] == "embedded/efficientnet_lite0-imagenet"
        assert facts["version"] == __version__


@pytest.mark.parametrize(
    ("score", "meaning"),
    [
        (0.9100, "a copy (0.91 or more)"),
        (0.9099, "an altered copy (0.86 or more)"),
        (0.8, "the same scene (0.8 or more)"),
        (0.7999, "unrelated (under 0.8)"),
    ],
)
def test_the_kinds_meet_at_the_thresholds(score: float, meaning: str) -> None:
    assert in_words("embedded/efficientnet_lite0-imagenet", score) == meaning
    assert in_words("another", score) is None


@pytest.mark.slow
def test_embed_reads_names_from_stdin(folder: Path) -> None:
    done = run_on(f"{folder / 'cat.jpg'}\n{folder / 'coffee.bmp'}\n".encode(), "embed", "-")
    assert done.exit_code == 0
    names = [Path(json.loads(line)["source"]).name for line in done.stdout.splitlines()]
    assert names == ["cat.jpg", "coffee.bmp"]


@pytest.mark.parametrize("command", ["embed", "pairs", "index"])
def test_pictures_of_formats_that_are_not_read_are_counted(folder: Path, command: str) -> None:
    for name in ("a.heic", "b.HEIC", "c.tif", "._d.heic", "notes.txt"):
        (folder / name).write_bytes(b"1")
    done = run(command, folder)
    assert done.exit_code == 0
    assert "Left out, in unsupported formats: 2 .heic, 1 .tif. Convert them to JPEG first." in done.stderr
