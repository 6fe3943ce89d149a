"""What the file alone promises: crashes, other processes, other models."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import IndexFileError, TransientError
from image_similarity.catalogue.sqlite_file import PAGE_BYTES
from tests.unit.catalogue.test_index import entries, record, vector

NAME = "pictures-00000000"
ROOT = Path(__file__).parents[3]
WRITER = """
import sys
from pathlib import Path
import numpy as np
from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Entry, Record

index = EmbeddedIndex(Path(sys.argv[1]), "pictures-00000000")
print("ready", flush=True)
for generation in range(1, 100000):
    content = np.full(512, generation, dtype=np.float32)
    content[0] = -generation
    index.put([Record(Entry(f"s3://b/{n}", str(generation), n, "now"), content) for n in range(200)])
    if generation % 3 == 0:
        index.delete(f"s3://b/{n}" for n in range(200))
"""


def test_a_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with EmbeddedIndex(path, NAME) as index:
        index.put([record("a.jpg", vector(1)), record("b.jpg", vector(2))])
        index.delete(["s3://photos/b.jpg"])
    with EmbeddedIndex(path, NAME) as index:
        assert len(index) == 1
        assert index.query(vector(1), 3)[0].entry == record("a.jpg").entry


def test_a_file_of_another_model_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with EmbeddedIndex(path, NAME) as index:
        index.put([record("a.jpg")])
    with pytest.raises(IndexFileError, match="another model"):
        EmbeddedIndex(path, "pictures-11111111")
    with EmbeddedIndex(path, NAME) as index:
        assert len(index) == 1


@pytest.mark.parametrize("content", [b"no database" * 1000, b"\xff\xd8\xff\xe0" + bytes(5000)])
def test_another_file_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(IndexFileError, match="is not an index"):
        EmbeddedIndex(path, NAME)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "photos.lrcat"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE photo (name TEXT)")
    content = path.read_bytes()
    with pytest.raises(IndexFileError, match="is not an index of pictures"):
        EmbeddedIndex(path, NAME)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_damaged_file_says_so_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with EmbeddedIndex(path, NAME) as index:
        index.put([record(f"{number}.jpg", vector(number)) for number in range(1, 100)])
    content = path.read_bytes()
    path.write_bytes(content[: 2 * PAGE_BYTES] + bytes(len(content) - 2 * PAGE_BYTES))
    with EmbeddedIndex(path, NAME) as index, pytest.raises(IndexFileError, match=r"is damaged.*delete it"):
        index.query(vector(1), 3)


def test_a_file_that_has_no_room_to_grow_says_so(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with EmbeddedIndex(path, NAME) as index:
        index._file.run("PRAGMA max_page_count = 20")
        with pytest.raises(IndexFileError, match="full"):
            index.put([record(f"{number}.jpg", vector(number)) for number in range(1, 1000)])
        assert len(index) == 0


def test_a_search_sees_what_another_process_wrote(tmp_path: Path) -> None:
    path = tmp_path / "index.db"
    with EmbeddedIndex(path, NAME) as writer, EmbeddedIndex(path, NAME) as reader:
        assert reader.query(vector(1), 3) == []
        writer.put([record("a.jpg", vector(1))])
        assert reader.query(vector(1), 3)[0].similarity == 1.0
        writer.put([record("a.jpg", vector(2))])
        assert reader.query(vector(1), 3)[0].similarity < 0.9
        writer.delete(["s3://photos/a.jpg"])
        writer.put([record("b.jpg", vector(1))])  # in the slot that was left
        found = reader.query(vector(1), 3)
        assert [(match.entry.key, match.similarity) for match in found] == [("s3://photos/b.jpg", 1.0)]


@pytest.mark.slow
@pytest.mark.parametrize("writes", [1, 4, 9])
def test_a_crash_in_a_write_leaves_a_whole_index(tmp_path: Path, writes: int) -> None:
    """Every put is of 200 rows and of one generation, every delete of all: nothing between is seen."""
    path = tmp_path / "index.db"
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        seen: set[str] = set()
        with EmbeddedIndex(path, NAME) as reader:
            while len(seen) < writes:
                seen.add(generation(reader))
            process.send_signal(signal.SIGKILL)
            process.wait()
            left = generation(reader)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    with EmbeddedIndex(path, NAME) as index:
        assert generation(index) == left
        index.put([record("after.jpg", vector(3))])
        assert index.query(vector(3), 1)[0].similarity == 1.0
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def generation(index: EmbeddedIndex) -> str:
    """That of all entries, which a page reads as one state; empty where there are none."""
    found = index.page().entries
    assert len(found) in (0, 200)
    assert len({entry.etag for entry in found}) <= 1
    assert len(index.query(np.ones(512, dtype=np.float32), 300)) in (0, 200)
    return found[0].etag if found else ""


def test_a_file_that_stays_locked_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("image_similarity.catalogue.sqlite_file.BUSY_SECONDS", 0.01)
    path = tmp_path / "index.db"
    with EmbeddedIndex(path, NAME) as index:
        index.put([record("a.jpg")])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="locked"):
            index.put([record("b.jpg")])
        other.execute("ROLLBACK")
        other.close()
        index.put([record("b.jpg")])
        assert set(entries(index)) == {"s3://photos/a.jpg", "s3://photos/b.jpg"}


@pytest.mark.slow
def test_many_threads(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with EmbeddedIndex(tmp_path / "index.db", NAME) as index, ThreadPoolExecutor(8) as pool:

        def one(number: int) -> float:
            index.put([record(f"{number}.jpg", vector(number))])
            return index.query(vector(number), 1)[0].similarity

        assert set(pool.map(one, range(100))) == {1.0}
        assert len(index) == 100
