"""Search: among this machine's pictures, and in the catalogue of a stack."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageEnhance

from image_similarity.cli.text import counted
from tests.support.command import run
from tests.support.photos import photo
from tests.unit.cli.strange_server import Reply, answering

pytestmark = pytest.mark.slow


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A cat, a small and a dark copy of it in a folder of their own, and a cup of coffee."""
    root = tmp_path / "album"
    (root / "copies").mkdir(parents=True)
    cat = photo("chelsea")
    cat.save(root / "cat.png")
    cat.resize((225, 150)).save(root / "copies" / "small.jpg")
    ImageEnhance.Brightness(cat.convert("L").convert("RGB")).enhance(0.5).save(root / "copies" / "dark.png")
    photo("coffee").save(root / "coffee.png")
    assert run("index", root).exit_code == 0
    return root


def lines(*arguments: object) -> list[tuple[float, str]]:
    done = run("search", *arguments)
    assert done.exit_code == 0, done.output
    return [(float(line[:8]), line[10:]) for line in done.stdout.splitlines()]


def test_a_picture_finds_itself_and_its_copies_first(album: Path) -> None:
    found = lines(album / "cat.png")
    assert [Path(name).name for _, name in found] == ["cat.png", "small.jpg", "dark.png", "coffee.png"]
    assert found[0] == (1.0, str(album / "cat.png"))
    for score, name in found[1:]:
        assert score == pytest.approx(float(run("compare", album / "cat.png", name).stdout), abs=2e-6)


def test_a_picture_that_is_not_indexed(album: Path, tmp_path: Path) -> None:
    photo("chelsea").rotate(3).save(tmp_path / "turned.png")
    found = lines(tmp_path / "turned.png", "--limit", 2)
    assert len(found) == 2
    assert Path(found[0][1]).name == "cat.png"
    done = run("search", tmp_path / "missing.png")
    assert done.exit_code == 1
    assert f"{tmp_path / 'missing.png'}: it can't be read" in done.stderr
    (tmp_path / "none.jpg").write_bytes(b"none")
    assert "InvalidImage" in run("search", tmp_path / "none.jpg").stderr


def test_thresholds_by_number_and_by_name(album: Path) -> None:
    everything = {name: score for score, name in lines(album / "cat.png")}
    for option, least in (("copies", 0.91), ("edits", 0.86), ("scenes", 0.80)):
        done = run("search", album / "cat.png", "--find", option)
        shown = [line[10:] for line in done.stdout.splitlines()]
        assert shown == [name for name, score in everything.items() if score >= least]
        assert f"{counted(len(shown), 'picture')} with a similarity of {least:g} or more" in done.stderr
    assert len(lines(album / "cat.png", "--threshold", 1)) == 1
    assert run("search", album / "cat.png", "--find", "copies", "--threshold", 1).exit_code == 2


def test_only_in_some_folders(album: Path, tmp_path: Path) -> None:
    found = lines(album / "cat.png", "--in", album / "copies")
    assert {Path(name).name for _, name in found} == {"small.jpg", "dark.png"}
    new = tmp_path / "new"
    new.mkdir()
    photo("astronaut").save(new / "astronaut.png")
    found = lines(album / "cat.png", "--in", new, "--in", album / "copies")
    assert [Path(name).name for _, name in found] == ["small.jpg", "dark.png", "astronaut.png"]


def test_json_for_programs(album: Path) -> None:
    done = run("search", album / "cat.png", "--json", "--limit", 1, "--threshold", 0.5)
    answer = json.loads(done.stdout)
    (match,) = answer.pop("matches")
    assert (match["source"], match["similarity"]) == (str(album / "cat.png"), 1.0)
    assert match["size"] == (album / "cat.png").stat().st_size
    assert answer["query"] == str(album / "cat.png")
    assert answer["model"] == "embedded/efficientnet_lite0-imagenet"
    assert (answer["threshold"], answer["complete"]) == (0.5, True)


def test_a_picture_that_fails_is_told_and_does_not_stop_the_search(album: Path) -> None:
    (album / "bad.jpg").write_bytes(b"none")
    done = run("search", album / "cat.png")
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 4
    assert f"{album / 'bad.jpg'}: InvalidImage" in done.stderr


MATCH = {
    "key": "s3://photos/a\x1b[2J.jpg",
    "similarity": 0.9,
    "size": 5,
    "modified": "2026-11-26T00:00:00Z",
    "etag": '"x"',
}
MODEL = {"X-Model": "embedded/efficientnet_lite0-imagenet"}


def answer(**changes: Any) -> Reply:
    return Reply(
        {"matches": [MATCH, {**MATCH, "similarity": 0.8}], "complete": True, **changes}, headers=MODEL
    )


def test_the_catalogue_of_a_stack_is_asked_beside_its_api(album: Path) -> None:
    with answering(answer(complete=False)) as server:
        done = run("search", album / "cat.png", "--url", server.url, "--limit", 7, "--find", "edits")
        (body,), (path,) = server.bodies, server.paths
    assert done.exit_code == 0, done.output
    assert path == "/prod/catalogue/search"
    assert set(body) == {"img", "limit"}
    assert body["limit"] == 7
    assert done.stdout == "0.900000  s3://photos/a\\x1b[2J.jpg\n"
    assert "The catalogue is not complete" in done.stderr
    with answering(answer()) as server:
        run("search", "s3://photos/b.jpg", "--url", server.url, "--limit", 1000)
        assert server.bodies == [{"url": "s3://photos/b.jpg", "limit": 100}]


@pytest.mark.parametrize(
    "changes",
    [
        {"matches": None},
        {"matches": [5]},
        {"matches": [{**MATCH, "key": None}]},
        {"matches": [{**MATCH, "similarity": "1"}]},
        {"matches": [{**MATCH, "similarity": 1.5}]},
        {"complete": "yes"},
    ],
    ids=str,
)
def test_an_answer_that_is_none_is_not_believed(album: Path, changes: dict[str, Any]) -> None:
    with answering(answer(**changes)) as server:
        done = run("search", album / "cat.png", "--url", server.url)
    assert done.exit_code == 2
    assert "The answer" in done.stderr or "A match of the answer" in done.stderr
    assert done.stdout == ""


def test_options_of_the_machine_are_not_for_a_stack(album: Path) -> None:
    done = run(
        "search", album / "cat.png", "--in", album, "--url", "http://127.0.0.1:9/prod/image-similarity"
    )
    assert done.exit_code == 2
    assert "are for the index on this machine" in done.stderr
