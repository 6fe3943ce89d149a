"""The index of this machine's pictures: it follows them, and the next run costs only what changed."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from image_similarity.catalogue.sqlite_file import PAGE_BYTES
from image_similarity.folders.inventory import Inventory
from image_similarity.folders.store import key_of
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from tests.support.command import run, run_on
from tests.support.photos import photo
from tests.unit.cli.test_strange_files import nobody

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "image_similarity.cli"]


def noise(seed: int, size: tuple[int, int] = (48, 64)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Three pictures that nobody takes for each other, one of them in a folder of its own."""
    root = tmp_path / "album"
    (root / "more").mkdir(parents=True)
    photo("chelsea").save(root / "cat.jpg")
    photo("coffee").save(root / "coffee.bmp")
    photo("astronaut").save(root / "more" / "astronaut.png")
    return root


def index(*arguments: object, code: int = 0, model: Path = DEFAULT_MODEL_DIR) -> dict[str, Any]:
    done = run("index", *arguments, "--json", MODEL_DIR=str(model))
    assert done.exit_code == code, done.output
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def counts(facts: dict[str, Any]) -> tuple[int, int, int, int]:
    """Indexed, as they were, gone, failed."""
    return facts["indexed"], facts["kept"], facts["gone"], facts["failed"]


def search(*arguments: object) -> dict[str, float]:
    """Similarities by the names of the files."""
    done = run("search", *arguments, "--json")
    assert done.exit_code == 0, done.output
    matches = json.loads(done.stdout)["matches"]
    return {Path(match["source"]).name: match["similarity"] for match in matches}


def test_the_second_run_reads_nothing(album: Path, own_index: Path) -> None:
    first = index(album)
    assert counts(first) == (3, 0, 0, 0)
    assert Path(first["index"]).parent == own_index
    assert first["folders"] == [str(album)]
    assert first["model"] == "embedded/efficientnet_lite0-imagenet"
    for path in album.rglob("*.*"):
        path.chmod(0o644)
        os.utime(path, ns=(0, path.stat().st_mtime_ns))
        content = path.read_bytes()
        status = path.stat()
        path.write_bytes(bytes(len(content)))  # whoever reads it finds no picture
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert counts(index(album)) == (0, 3, 0, 0)
    assert counts(index()) == (0, 3, 0, 0)
    assert run("pairs", album).exit_code == 0


def test_the_model_is_not_loaded_where_nothing_changed(album: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(DEFAULT_MODEL_DIR, model)
    assert counts(index(album, model=model)) == (3, 0, 0, 0)
    (model / "model.onnx").unlink()
    assert counts(index(album, model=model)) == (0, 3, 0, 0)
    assert run("search", album / "cat.jpg", MODEL_DIR=str(model)).exit_code == 0
    noise(1).save(album / "new.png")
    done = run("index", album, MODEL_DIR=str(model))
    assert (done.exit_code, "model.onnx" in done.stderr) == (2, True), done.output


def test_new_changed_moved_and_deleted_files(album: Path) -> None:
    index(album)
    noise(1).save(album / "new.png")
    (album / "cat.jpg").rename(album / "more" / "tiger.jpg")
    (album / "coffee.bmp").unlink()
    assert counts(index(album)) == (2, 1, 2, 0)
    assert set(search(album / "new.png")) == {"new.png", "tiger.jpg", "astronaut.png"}


def test_a_changed_file_of_the_same_size(album: Path) -> None:
    path = album / "noise.bmp"
    noise(1).save(path)
    index(album)
    before = path.stat()
    noise(2).save(path)
    assert path.stat().st_size == before.st_size
    assert path.stat().st_mtime_ns != before.st_mtime_ns
    noise(1).save(album / "first.bmp")
    assert counts(index(album)) == (2, 3, 0, 0)
    similarities = search(album / "first.bmp", "--as-it-is")
    assert similarities["first.bmp"] == 1
    assert similarities["noise.bmp"] < 1


def test_a_file_that_is_written_again_at_once_is_seen(album: Path, tmp_path: Path) -> None:
    """Within one tick of the system's clock both writes would have one time."""
    path = album / "noise.bmp"
    for seed in range(5):
        noise(seed).save(path)
        index(album)
        noise(seed).save(tmp_path / "same.bmp")
        assert search(tmp_path / "same.bmp", "--as-it-is")["noise.bmp"] == 1


def test_a_picture_that_fails_is_told_each_time_and_read_once(album: Path) -> None:
    path = album / "bad.jpg"
    path.write_bytes(b"no picture")
    for _ in range(2):
        done = run("index", album)
        assert done.exit_code == 1
        assert f"{path}: InvalidImage: its format is not recognised" in done.stderr
        assert "1 failed" in done.stdout
    os.utime(path, ns=(0, path.stat().st_mtime_ns))
    status = path.stat()
    shutil.copy(album / "cat.jpg", path)
    os.truncate(path, status.st_size)
    os.utime(path, ns=(0, status.st_mtime_ns))
    assert counts(index(album, code=1)) == (0, 3, 0, 1)
    shutil.copy(album / "cat.jpg", path)
    assert counts(index(album)) == (1, 3, 0, 0)


def test_a_picture_that_becomes_none_leaves(album: Path) -> None:
    index(album)
    (album / "cat.jpg").write_bytes(b"no picture any more")
    assert counts(index(album, code=1)) == (0, 2, 0, 1)
    (album / "cat.jpg").unlink()
    assert set(search(album / "coffee.bmp")) == {"coffee.bmp", "astronaut.png"}
    assert counts(index(album)) == (0, 2, 0, 0)


def test_several_folders_files_and_a_list_on_stdin(album: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    odd = Path(os.fsdecode(os.fsencode(other) + b"/caf\xe9\n.png"))
    noise(1).save(odd, "PNG")
    noise(2).save(other / "b.png")
    assert counts(index(album / "more", other / "b.png")) == (2, 0, 0, 0)
    names = b"\0".join(map(os.fsencode, (odd, album)))
    done = run_on(names, "index", "-", "--json")
    assert done.exit_code == 0, done.output
    assert counts(json.loads(done.stdout)) == (3, 1, 0, 0)
    lines = f"{album}\n{other / 'b.png'}\n".encode()
    done = run_on(lines, "index", "-", "--json")
    assert counts(json.loads(done.stdout)) == (0, 4, 0, 0)
    assert index()["folders"] == [str(album)]
    (other / "b.png").unlink()
    assert counts(index()) == (0, 4, 1, 0)
    (album / "cat.jpg").unlink()
    assert counts(json.loads(run_on(b"", "index", "-", "--json").stdout)) == (0, 0, 0, 0)
    done = run("index", other / "missing.png")
    assert done.exit_code == 1
    assert f"{other / 'missing.png'}: it can't be read" in done.stderr


def test_a_folder_that_is_away_keeps_its_pictures_and_is_not_searched(album: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    noise(1).save(disk / "on-disk.png")
    index(album, disk)
    disk.rename(tmp_path / "unplugged")
    done = run("index")
    assert done.exit_code == 0, done.output
    assert f"{disk}: the folder is not there now" in done.stderr
    query = tmp_path / "unplugged" / "on-disk.png"
    assert set(search(query, "--limit", 3)) == {"cat.jpg", "coffee.bmp", "astronaut.png"}
    (tmp_path / "unplugged").rename(disk)
    assert counts(index()) == (0, 4, 0, 0)
    assert "1 picture removed" in run("index", "--forget", disk).stdout
    assert set(search(disk / "on-disk.png")) == {"cat.jpg", "coffee.bmp", "astronaut.png"}


def test_a_folder_that_can_not_be_read_keeps_its_pictures() -> None:
    with tempfile.TemporaryDirectory() as made:
        album = Path(made)
        album.chmod(0o755)
        (album / "closed").mkdir(mode=0o700)
        if os.geteuid():
            (album / "closed").chmod(0)
        inside, gone = key_of(album / "closed" / "cat.jpg"), key_of(album / "gone.jpg")
        inventory = Inventory()
        with nobody():
            inventory.add_folder(str(album), {inside: "1-1", gone: "1-1"})
        (album / "closed").chmod(0o700)
    assert inventory.gone == [gone]
    assert inventory.failures == [(str(album / "closed"), "the folder can't be read: Permission denied.")]


def test_different_models_never_meet(album: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(DEFAULT_MODEL_DIR, model)
    manifest = json.loads((model / "manifest.json").read_text())
    (model / "manifest.json").write_text(json.dumps({**manifest, "pretrained": "other"}))
    first, second = index(album), index(album, model=model)
    assert counts(second) == (3, 0, 0, 0)
    assert first["index"] != second["index"]
    done = run("index", album, "--index", first["index"], MODEL_DIR=str(model))
    assert done.exit_code == 2
    assert "holds vectors of another model" in done.stderr


def test_what_is_no_index_is_refused_and_left_as_it_is(album: Path, tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear Sir or Madam, " * 100)
    for command in (("index", album), ("pairs", album), ("search", album / "cat.jpg")):
        done = run(*command, "--index", file)
        assert done.exit_code == 2
        assert "letter.txt is not an index of pictures" in done.stderr
    assert file.read_text().startswith("Dear Sir")
    done = run("index", album, "--index", tmp_path / "letter.txt" / "index")
    assert done.exit_code == 2
    assert "The index can't be opened" in done.stderr


def test_a_damaged_index_is_a_sentence_that_says_what_to_do(album: Path, tmp_path: Path) -> None:
    file = tmp_path / "index.sqlite"
    index(album, "--index", file)
    content = file.read_bytes()
    file.write_bytes(content[: 2 * PAGE_BYTES] + bytes(len(content) - 2 * PAGE_BYTES))
    for command in (("index", album), ("pairs", album), ("search", album / "cat.jpg", "--as-it-is")):
        done = run(*command, "--index", file)
        assert done.exit_code == 2
        assert "index.sqlite is damaged" in done.stderr
        assert "delete it" in done.stderr


def test_what_is_named_and_is_no_file_is_not_counted_as_indexed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.jpg"
    os.mkfifo(pipe)
    done = run("index", pipe, "/dev/null", "--json")
    assert done.exit_code == 1
    assert counts(json.loads(done.stdout)) == (0, 0, 0, 2)
    assert f"{pipe}: it is a named pipe" in done.stderr
    assert "/dev/null: it is a device" in done.stderr


@pytest.mark.parametrize("command", [("index", ""), ("pairs", ""), ("index", "--forget")])
def test_no_name_is_not_the_working_directory(command: tuple[str, ...]) -> None:
    done = run(*command)
    assert done.exit_code == 2
    assert "name" in done.stderr.lower()


def test_pairs_works_where_nothing_can_be_kept(album: Path, tmp_path: Path) -> None:
    shutil.copy(album / "cat.jpg", album / "copy.jpg")
    (tmp_path / "file").touch()
    done = run("pairs", album, XDG_DATA_HOME=str(tmp_path / "file"))
    assert done.exit_code == 0, done.output
    assert "nothing is kept for next time" in done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert run("index", album, XDG_DATA_HOME=str(tmp_path / "file")).exit_code == 2


def test_nothing_is_indexed_yet() -> None:
    for command in (("index",), ("search", "cat.jpg")):
        done = run(*command)
        assert done.exit_code == 2
        assert "Nothing is indexed yet" in done.stderr
        assert "image-similarity index DIR" in done.stderr


@pytest.fixture
def many(tmp_path: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for seed in range(300):
        noise(seed).save(folder / f"{seed:03}.png")
    return folder


def indexed(file: Path) -> int:
    """Pictures in the file, as another process sees them."""
    try:
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(key) FROM picture").fetchone()[0])
    except sqlite3.OperationalError:  # it is not there yet, or has no table yet
        return 0


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_ended_half_way_is_taken_up(many: Path, tmp_path: Path, kill: signal.Signals) -> None:
    file = tmp_path / "index.sqlite"
    command = [*COMMAND, "index", str(many), "--index", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not indexed(file):
                assert process.poll() is None, process.stderr and process.stderr.read()
                time.sleep(0.01)
            process.send_signal(kill)
            _, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == (-signal.SIGKILL if kill is signal.SIGKILL else 130)
    done = indexed(file)
    assert 0 < done < 300, "it was ended before it began, or after it was done"
    if kill is signal.SIGINT:
        assert stderr.splitlines() == [
            f"{done} of 300 were indexed; the next run continues from there.",
            "Stopped.",
        ]
    assert counts(index(many, "--index", file)) == (300 - done, done, 0, 0)
    whole = index(many, "--index", tmp_path / "other.sqlite")
    assert whole["pictures"] == indexed(file) == 300
    with sqlite3.connect(file) as one, sqlite3.connect(tmp_path / "other.sqlite") as other:
        rows = "SELECT key, etag, vector FROM picture ORDER BY key"
        assert one.execute(rows).fetchall() == other.execute(rows).fetchall()
