"""Files as objects of a store, and an index that meets them while they change."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_similarity.catalogue.index import IndexFileError, TransientError
from image_similarity.catalogue.objects import Reading, UnusableObject
from image_similarity.folders.encoding import DeferredEncoder
from image_similarity.folders.index import CHANGES, GONE, NOT_NOW, TRIES, FolderIndex
from image_similarity.folders.store import TICK_SECONDS, FileStore, key_of, path_of, prefix_of, state_of
from image_similarity.inference.loading import DEFAULT_MODEL_DIR


def draw(path: Path, seed: int) -> None:
    chance = np.random.default_rng(seed)
    Image.fromarray(chance.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(path, "PNG")


@pytest.mark.parametrize(
    "path",
    [b"/a/b.jpg", b"/a b/%41+?#.jpg", b"/caf\xe9/\xff.png", "/写真/é.png".encode(), b"/a/new\nline.png"],
    ids=ascii,
)
def test_a_key_is_a_path_and_back(path: bytes) -> None:
    key = key_of(os.fsdecode(path))
    assert key.isascii()
    assert key.isprintable()
    assert os.fsencode(path_of(key)) == path
    folder = os.fsdecode(path.rpartition(b"/")[0])
    assert key.startswith(prefix_of(folder))
    assert not key_of(folder + "x/b.jpg").startswith(prefix_of(folder))


def test_states_tell_what_changed(tmp_path: Path) -> None:
    store, path = FileStore(), tmp_path / "a.png"
    draw(path, 1)
    before = store.look(key_of(path))
    assert before is not None
    reading = store.read(key_of(path))
    assert reading == Reading(before, path.read_bytes())
    assert store.read(key_of(path), before.etag) == Reading(before, None)
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    after = store.look(key_of(path))
    assert after is not None
    assert after.etag != before.etag
    for none in (tmp_path, tmp_path / "missing.png", path / "inside.png"):
        assert store.look(key_of(none)) is None
        assert store.read(key_of(none)) is None


@pytest.mark.parametrize(
    ("seconds", "modified"),
    [(0, "1970-01-01T00:00:00Z"), (10**12, "9999-12-31T23:59:59Z"), (-(10**12), "0001-01-01T00:00:00Z")],
)
def test_times_of_years_that_python_does_not_have(seconds: int, modified: str) -> None:
    """File systems of 64-bit times have them, by a broken clock or a broken archive."""
    status = os.stat_result((0o100644, 0, 0, 1, 0, 0, 5, seconds, seconds, seconds))
    assert state_of("file:///a.png", status, readable=False).modified == modified


def test_a_file_is_not_read_in_the_tick_in_which_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    draw(path, 1)
    FileStore().read(key_of(path))
    assert time.time() - path.stat().st_mtime >= TICK_SECONDS
    os.utime(path, (0, time.time() + 3600))  # of a clock that is ahead
    assert FileStore().read(key_of(path)) is not None


def test_a_huge_file_is_unusable_and_a_disk_that_fails_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "huge.png"
    path.touch()
    os.truncate(path, 1024**4)
    with pytest.raises(UnusableObject, match="files of up to 256 MiB are read"):
        FileStore().read(key_of(path))

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    draw(path, 1)
    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(TransientError, match="Input/output error"):
        FileStore().read(key_of(path))


class Restless(FileStore):
    """A file that is written again after each of the first reads."""

    def __init__(self, times: int) -> None:
        self.left = times

    def read(self, key: str, known_etag: str | None = None) -> Reading | None:
        reading = super().read(key, known_etag)
        if self.left:
            self.left -= 1
            draw(Path(path_of(key)), self.left)
        return reading


@pytest.fixture
def index(tmp_path: Path) -> FolderIndex:
    return FolderIndex(tmp_path / "index.sqlite", DeferredEncoder(DEFAULT_MODEL_DIR, threads=1))


@pytest.mark.slow
@pytest.mark.parametrize(("times", "problem"), [(1, None), (TRIES - 1, None), (TRIES, CHANGES)])
def test_a_file_that_changes_while_it_is_read(
    tmp_path: Path, index: FolderIndex, monkeypatch: pytest.MonkeyPatch, times: int, problem: str | None
) -> None:
    path = tmp_path / "a.png"
    draw(path, 99)
    monkeypatch.setattr(index, "_store", Restless(times))
    key = key_of(path)
    inventory = index.look_through([str(path)])
    ((done,),) = index.update(index.todo(inventory))
    assert (done.key, done.problem) == (key, problem)
    assert (index.vector(key) is None) == (problem is not None)
    if problem is None:
        indexed = index.vector(key)
        index.drop([key])
        list(index.update([key]))
        np.testing.assert_array_equal(index.vector(key), indexed)


@pytest.mark.slow
def test_what_could_not_be_read_now_is_tried_again(
    tmp_path: Path, index: FolderIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(FileStore):
        def read(self, key: str, known_etag: str | None = None) -> Reading | None:
            raise TransientError("the network's disk is away")

    path = tmp_path / "a.png"
    draw(path, 1)
    with monkeypatch.context() as patched:
        patched.setattr(index, "_store", Broken())
        ((done,),) = index.update(index.todo(index.look_through([str(path)])))
        assert done.problem == NOT_NOW
    assert index.todo(index.look_through([str(path)])) == [key_of(path)]


@pytest.mark.slow
def test_a_file_without_room_ends_the_run_and_is_no_picture_s_failure(
    tmp_path: Path, index: FolderIndex
) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(40)]
    for number, path in enumerate(paths):
        draw(path, number)
    index._index._file.run("PRAGMA max_page_count = 1")  # as many as there are
    keys = index.todo(index.look_through([str(path) for path in paths]))
    with pytest.raises(IndexFileError, match="full"):
        list(index.update(keys))
    assert index.failures(keys) == {}


@pytest.mark.slow
def test_a_file_that_is_deleted_before_it_is_read_is_not_indexed(tmp_path: Path, index: FolderIndex) -> None:
    path = tmp_path / "a.png"
    draw(path, 1)
    keys = index.todo(index.look_through([str(path)]))
    path.unlink()
    ((done,),) = index.update(keys)
    assert done.problem == GONE


@pytest.mark.slow
def test_vectors_come_in_the_order_that_is_asked_for(tmp_path: Path, index: FolderIndex) -> None:
    keys = []
    for seed in range(5):
        draw(tmp_path / f"{seed}.png", seed)
        keys.append(key_of(tmp_path / f"{seed}.png"))
    list(index.update(keys[:4]))
    asked = [keys[3], keys[4], keys[0]]
    present, array = index.vectors(asked)
    assert present == [keys[3], keys[0]]
    np.testing.assert_array_equal(array, [index.vector(key) for key in present])
    assert [match.entry.key for match in index.search(array[0], 1)] == [keys[3]]
    assert index.search(array[0], 2, away=[prefix_of(str(tmp_path))]) == []


def test_folders_within_others_are_looked_through_once(tmp_path: Path, index: FolderIndex) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "ab").mkdir()
    index.look_through([str(tmp_path / "a" / "b"), str(tmp_path / "ab"), str(tmp_path / "a")])
    assert index.folders == [str(tmp_path / "a"), str(tmp_path / "ab")]
    index.forget(str(tmp_path / "a"))
    assert index.folders == [str(tmp_path / "ab")]
