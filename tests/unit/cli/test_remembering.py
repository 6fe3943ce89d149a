"""`pairs` against an API sends what is new: vectors are kept by URL, model and file."""

import os
import time
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.world import picture
from tests.unit.cli.strange_server import UNIT, Reply, StrangeServer, a_vector, answering

pytestmark = pytest.mark.slow


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = tmp_path / "album"
    folder.mkdir()
    for number in range(4):
        put(folder, f"{number}.jpg", age=3600)
    return folder


def put(folder: Path, name: str, *, age: float) -> None:
    (folder / name).write_bytes(picture())
    then = time.time() - age
    os.utime(folder / name, (then, then))


def vectors(*seeds: int, model: str = "embedded/test") -> list[Reply]:
    return [Reply({"result": a_vector(seed)}, headers={"X-Model": model}) for seed in seeds]


def sent(server: StrangeServer, folder: Path) -> int:
    before = len(server.bodies)
    done = run("pairs", folder, "--url", server.url, "--jobs", 1, "--threshold", 0.9)
    assert done.exit_code == 0, done.output
    return len(server.bodies) - before


def test_the_second_run_sends_one_picture_and_says_the_same(album: Path) -> None:
    with answering(*vectors(1, 2, 1, 3, 1)) as server:
        first = run("pairs", album, "--url", server.url, "--jobs", 1, "--threshold", 0.9)
        assert len(server.bodies) == 4
        second = run("pairs", album, "--url", server.url, "--jobs", 1, "--threshold", 0.9)
        assert len(server.bodies) == 5
    assert first.exit_code == second.exit_code == 0
    assert first.stdout == second.stdout != ""
    assert "3 pictures known from an earlier run, not sent again." in second.stderr
    assert "known from" not in first.stderr


def test_what_is_new_or_changed_is_sent(album: Path) -> None:
    with answering(*vectors(1, 2, 3, 4, 1, 5, 6)) as server:
        assert sent(server, album) == 4
        put(album, "2.jpg", age=1800)
        put(album, "9.jpg", age=1800)
        assert sent(server, album) == 3


def test_another_model_or_another_url_starts_anew(album: Path) -> None:
    with answering(*vectors(1, 2, 3, 4), *vectors(1, 2, 3, 4, model="another")) as server:
        assert sent(server, album) == 4
        assert sent(server, album) == 4
        with answering(*vectors(1, 2, 3, 4)) as other:
            assert sent(other, album) == 4


def test_other_vectors_under_one_name_start_anew(album: Path) -> None:
    with answering(*vectors(1, 2, 3, 4, 11, 12, 13, 14)) as server:
        assert sent(server, album) == 4
        done = run("pairs", album, "--url", server.url, "--jobs", 1, "--threshold", 0.9)
        assert len(server.bodies) == 8
    assert "The API's vectors have changed, but not its model's name" in done.stderr


def test_a_file_that_was_just_written_is_not_remembered(album: Path) -> None:
    put(album, "3.jpg", age=-60)  # as old as now, on a machine that takes a minute to look at it
    with answering(*vectors(1, 2, 3, 4, 1, 4)) as server:
        assert sent(server, album) == 4
        assert sent(server, album) == 2


def test_a_first_picture_that_is_refused_is_asked_for_once(album: Path) -> None:
    refused = Reply({"code": "InvalidImage", "message": "no", "requestId": "r"}, 400)
    with answering(refused, *vectors(2, 3, 4)) as server:
        done = run("pairs", album, "--url", server.url, "--jobs", 1, "--threshold", 0.9)
        assert len(server.bodies) == 4
    assert done.exit_code == 1
    assert done.stderr.count("InvalidImage") == 1


def test_where_nothing_can_be_kept_it_says_so_and_goes_on(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    with answering(Reply({"result": UNIT})) as server:
        done = run("pairs", album, "--url", server.url, "--jobs", 1, "--threshold", 0.9)
        assert len(server.bodies) == 4
    assert done.exit_code == 0
    assert "Vectors can't be kept" in done.stderr
