"""Which files of a folder are uploaded."""

import os
from pathlib import Path

import pytest

from local.pictures.selection import select


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    for path in (here / "a.jpg", here / "sub" / "B.PNG", here / "notes.txt", elsewhere / "private.jpg"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return here


def test_keys_are_relative_paths_of_what_is_named_like_a_picture(folder: Path) -> None:
    selection = select(folder)
    assert selection.files == {"a.jpg": folder / "a.jpg", "sub/B.PNG": folder / "sub" / "B.PNG"}
    assert selection.notes == []


def test_links_out_of_the_folder_are_left_out_and_named(folder: Path) -> None:
    (folder / "out.jpg").symlink_to(folder.parent / "elsewhere" / "private.jpg")
    (folder / "loop").symlink_to(folder)
    (folder / "in.jpg").symlink_to(folder / "a.jpg")
    selection = select(folder)
    assert sorted(selection.files) == ["a.jpg", "in.jpg", "sub/B.PNG"]
    assert [note for note in selection.notes if "out.jpg" in note and "a link that leaves" in note]


def test_hidden_files_and_folders_are_left_out_and_counted(folder: Path) -> None:
    for path in (folder / ".trash" / "c.jpg", folder / ".d.jpg"):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    selection = select(folder)
    assert sorted(selection.files) == ["a.jpg", "sub/B.PNG"]
    assert selection.notes == ["2 hidden files are left out."]


def test_a_name_that_can_be_no_key_is_left_out(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.jpg")).write_bytes(b"x")
    deep = folder
    for _ in range(5):
        deep /= "d" * 240
        deep.mkdir()
    (deep / "e.jpg").write_bytes(b"x")
    selection = select(folder)
    assert sorted(selection.files) == ["a.jpg", "sub/B.PNG"]
    assert any("no UTF-8" in note for note in selection.notes)
    assert any("more than 1024 bytes" in note for note in selection.notes)
