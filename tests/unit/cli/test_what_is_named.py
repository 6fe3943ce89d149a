"""Folders and files as they are named: empty, away, twice, in each other, mistyped, or URLs."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.command import run, run_on

pytestmark = pytest.mark.slow
NO_SUCH = "it can't be read: No such file or directory. Check the name."


def draw(path: Path, seed: int) -> None:
    chance = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(chance.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    draw(tmp_path / "album" / "a.png", 1)
    draw(tmp_path / "album" / "more" / "b.png", 2)
    return tmp_path / "album"


def test_a_folder_without_pictures_is_said_to_be_one(album: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    done = run("index", empty)
    assert done.exit_code == 0
    assert done.stderr == f"{empty}: there is no picture in it.\n"
    done = run("pairs", album, empty)
    assert done.exit_code == 0
    assert f"{empty}: there is no picture in it.\n" in done.stderr
    (empty / "a.heic").touch()
    assert "there is no picture" not in run("index", empty).stderr


def test_a_name_of_nothing_is_no_picture_that_failed(album: Path, tmp_path: Path) -> None:
    done = run("index", tmp_path / "nope", album)
    assert done.exit_code == 1
    assert f"{tmp_path / 'nope'}: {NO_SUCH}\n" in done.stderr
    assert done.stdout.startswith("2 pictures: 2 indexed, 0 as they were, 1 name could not be read; ")
    assert json.loads(run("index", tmp_path / "nope", album, "--json").stdout)["failed"] == 1


def test_a_disk_that_is_not_mounted_keeps_its_pictures(album: Path) -> None:
    """Its folder is there, and empty."""
    run("index", album)
    album.rename(album.with_name("mounted"))
    album.mkdir()
    for command in (["index"], ["index", album]):
        done = run(*command)
        assert done.exit_code == 0, done.output
        assert f"{album}: the folder is empty now; its pictures stay in the index." in done.stderr
        assert "The index has 2 pictures" in done.stdout
    query = album.with_name("mounted") / "a.png"
    assert json.loads(run("search", query, "--json").stdout)["matches"] == []
    album.rmdir()
    album.with_name("mounted").rename(album)
    assert run("index").stdout.startswith("2 pictures: 0 indexed, 2 as they were; ")


@pytest.mark.parametrize("command", ["index", "pairs"])
def test_folders_given_twice_or_in_each_other_are_looked_through_once(album: Path, command: str) -> None:
    (album / "more" / "link.png").symlink_to("/etc/hostname")
    link = album.with_name("link")
    link.symlink_to(album)
    done = run(command, album / "more", album, album, link, f"{album}/.")
    assert done.exit_code == 0, done.output
    assert done.stderr.count("a link that leaves the folder") == 1
    assert "2 pictures" in done.output
    assert json.loads(run("index", "--json").stdout)["folders"] == [str(album)]


def test_forgetting_what_is_not_known_and_what_is_read_again(album: Path, tmp_path: Path) -> None:
    run("index", album)
    done = run("index", "--forget", tmp_path / "albun")
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'albun'}: 0 pictures removed from the index.\n")
    assert done.stderr == f"{tmp_path / 'albun'}: the index had nothing of it. Check the name.\n"
    done = run("index", "--forget", album / "more")
    assert "1 picture removed" in done.stdout
    assert (
        f"{album / 'more'}: it is in {album}, which is followed: the next run reads it again.\n"
        == done.stderr
    )
    done = run("index", "--forget", album, "--json")
    facts = json.loads(done.stdout)
    assert facts["forgotten"] == {str(album): 1}
    assert (facts["folders"], facts["pictures"]) == ([], 0)
    assert done.stderr == ""


def test_a_link_that_was_given_is_forgotten_by_its_name(album: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.png"
    link.symlink_to(album / "a.png")
    run("index", link)
    assert "1 picture removed" in run("index", "--forget", link).stdout


@pytest.mark.parametrize("command", ["index", "pairs"])
def test_urls_are_not_indexed(command: str) -> None:
    done = run(command, "https://example.com/cat.jpg")
    assert done.exit_code == 2
    assert "https://example.com/cat.jpg: URLs are not indexed. Give files and folders" in done.stderr


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\0"])
def test_lists_of_names_end_as_systems_end_them(album: Path, mark: bytes, end: bytes) -> None:
    names = [os.fsencode(album / "a.png"), os.fsencode(album / "more" / "b.png")]
    done = run_on(mark + b"".join(name + end for name in names), "index", "-", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["indexed"] == 2


def test_a_mistyped_picture_is_told_before_anything_is_read(album: Path, tmp_path: Path) -> None:
    run("index", album)
    draw(album / "new.png", 3)
    done = run("search", album / "nope.png")
    assert done.exit_code == 1
    assert done.stderr == f"{album / 'nope.png'}: {NO_SUCH}\n"
    assert json.loads(run("index", "--json").stdout)["indexed"] == 1
    assert "it is a folder" in run("search", album).stderr


def test_search_makes_no_index_where_none_is_named(album: Path, tmp_path: Path) -> None:
    done = run("search", album / "a.png", "--index", tmp_path / "indx.sqlite")
    assert done.exit_code == 2
    assert f"--index {tmp_path / 'indx.sqlite'}: there is no such file." in done.stderr
    assert not (tmp_path / "indx.sqlite").exists()
    done = run("search", album / "a.png", "--in", "")
    assert done.exit_code == 2
    assert "A name is empty" in done.stderr


def test_where_no_picture_can_be_read_no_report_is_written(tmp_path: Path) -> None:
    bad, report = tmp_path / "bad", tmp_path / "report.html"
    bad.mkdir()
    (bad / "a.jpg").write_bytes(b"")
    report.write_text("of an earlier run")
    done = run("pairs", bad, "--report", report)
    assert done.exit_code == 1
    assert done.stderr.splitlines() == [
        f"{bad / 'a.jpg'}: InvalidImage: the file is empty; send a JPEG, PNG, BMP or WebP file.",
        "No picture could be read: no report was written.",
    ]
    assert report.read_text() == "of an earlier run"


def test_a_relative_data_home_is_ignored(
    album: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the XDG Base Directory Specification."""
    monkeypatch.chdir(tmp_path)
    done = run("index", album, XDG_DATA_HOME="data", HOME=str(tmp_path / "home"))
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "data").exists()
    assert list((tmp_path / "home" / ".local" / "share" / "image-similarity").iterdir())
