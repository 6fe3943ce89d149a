"""Files whose names, kinds or contents are not what a folder of pictures has."""

import json
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.support.command import run
from tests.unit.cli.strange_server import UNIT, Reply, answering

Draw = Callable[..., Path]
VECTOR = Reply({"result": UNIT})


@pytest.fixture
def draw(tmp_path: Path) -> Draw:
    """`draw(name, colour)` writes a small picture into the test's folder."""

    def make(name: str | bytes, colour: str = "red", size: tuple[int, int] = (40, 30)) -> Path:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            Image.new("RGB", size, colour).save(file, "PNG")
        return path

    return make


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\x1b]0;title\x07.png", r"a\x1b]0;title\x07.png"),
        ("a\nb.png", r"a\nb.png"),
        ("a\r0.999.png", r"a\r0.999.png"),
        ("a\x9b2J.png", r"a\x9b2J.png"),
        ("a\x85b.png", r"a\x85b.png"),
        ("\u202egnp.exe.png", r"\u202egnp.exe.png"),
        ("a\u2067\u2069.png", r"a\u2067\u2069.png"),
        ("a\u2028b.png", r"a\u2028b.png"),
        ("a\U000e0041.png", r"a\U000e0041.png"),
        (b"caf\xe9.png", r"caf\xe9.png"),
        ("caf\u00e9 \u5199\u771f.png", "caf\u00e9 \u5199\u771f.png"),
        ("Screenshot 9.41\u202fAM.png", "Screenshot 9.41\u202fAM.png"),
        ("[red]bold:smile:.png", "[red]bold:smile:.png"),
    ],
    ids=ascii,
)
def test_names_are_printed_as_text(draw: Draw, name: str | bytes, shown: str) -> None:
    path = draw(name)
    draw("zz.png")
    folder = path.parent
    people = run("pairs", folder)
    assert people.exit_code == 0, people.output
    assert sorted(people.stdout.splitlines()[1:]) == sorted(f"  {folder / one}" for one in (shown, "zz.png"))
    lines = run("embed", folder).stdout.splitlines()
    assert {json.loads(line)["source"] for line in lines} == {str(path), str(folder / "zz.png")}
    assert all(line.isascii() for line in lines)
    path.write_bytes(b"no picture")
    failed = run("embed", folder)
    assert failed.exit_code == 1
    assert failed.stderr.startswith(f"{folder / shown}: InvalidImage")
    named = run("compare", path, path)
    assert str(folder / shown) in named.stderr


def test_names_in_errors_of_use_are_printed_as_text() -> None:
    done = run("compare", "a.png", "a\x1b]0;title\x07\u202e.png", "b")
    assert done.exit_code == 2
    assert "\x1b]0" not in done.output
    assert "\x07" not in done.output
    assert "\u202e" not in done.output


def test_a_link_out_of_the_folder_is_not_followed(
    draw: Draw, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = draw("in.png").parent
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.png"
    Image.new("RGB", (8, 8)).save(secret)
    (folder / "passwd.jpg").symlink_to("/etc/passwd")
    (folder / "chain.jpg").symlink_to("passwd.jpg")
    (folder / "secret.png").symlink_to(secret)
    (folder / "up.png").symlink_to(Path("..") / secret.parent.name / "secret.png")
    (folder / "outside").symlink_to(secret.parent)
    (folder / "within.png").symlink_to("in.png")
    (folder / "nothing.png").symlink_to("missing.png")
    (folder / "loop.png").symlink_to("loop.png")
    with answering(VECTOR) as server:
        done = run("embed", folder, "--url", server.url)
    assert done.exit_code == 0, done.stderr
    assert {Path(json.loads(line)["source"]).name for line in done.stdout.splitlines()} == {
        "in.png",
        "within.png",
    }
    assert len(server.bodies) == 2
    for name in ("passwd.jpg", "chain.jpg", "secret.png", "outside"):
        assert f"{folder / name}: left out, it is a link that leaves the folder." in done.stderr
    for name in ("nothing.png", "loop.png"):
        assert f"{folder / name}: left out, it is a link to nothing." in done.stderr


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"root:x:0:0:root:/root:/bin/bash\n", "its format is not recognised"),
        (b"BMW: a list of cars\n", "It was not sent"),
        (b"GIF89a", "a GIF"),
        (b"%PDF-1.7", "a PDF"),
        (b"-----BEGIN %s KEY-----\n" % b"PRIVATE", "its format is not recognised"),
        (b"", "empty"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
    ],
    ids=ascii,
)
def test_what_is_no_picture_is_not_sent(tmp_path: Path, content: bytes, what: str) -> None:
    file = tmp_path / "secret.jpg"
    file.write_bytes(content)
    for command in (("embed", file), ("compare", file, file)):
        with answering(VECTOR) as server:
            done = run(*command, "--url", server.url)
        assert done.exit_code == 1, done.stderr
        assert what in done.stderr
        assert server.bodies == []


@pytest.mark.slow
def test_special_files_are_not_read(draw: Draw) -> None:
    folder = draw("in.png").parent
    os.mkfifo(folder / "pipe.png")
    (folder / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(folder / "socket.png"))
        done = run("embed", folder)
        assert done.exit_code == 0, done.stderr
        assert len(done.stdout.splitlines()) == 1
        for name in ("pipe.png", "socket.png"):
            assert f"{folder / name}: left out, it is not a regular file." in done.stderr
        kinds = {folder / "pipe.png": "a named pipe", folder / "socket.png": "a socket"}
        for path, kind in {**kinds, Path("/dev/zero"): "a device"}.items():
            named = run("embed", path)
            assert named.exit_code == 1
            assert f"it is {kind}, not a file" in named.stderr


def test_a_huge_file_is_not_read(draw: Draw) -> None:
    path = draw("huge.png")
    with path.open("r+b") as file:
        file.truncate(1024**4)  # a hole: no disk is used, and nobody could read it
    done = run("embed", path)
    assert done.exit_code == 1
    assert "1048576 MiB; files of up to 256 MiB are read" in done.stderr


def test_files_of_apples_finder_are_no_pictures(draw: Draw) -> None:
    folder = draw("a.png").parent
    (folder / "._a.png").write_bytes(b"\0\5\x16\7")
    done = run("embed", folder)
    assert done.exit_code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1


@contextmanager
def nobody() -> Iterator[None]:
    """Root reads everything: be somebody else for a while."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.slow
def test_a_folder_that_can_not_be_read_is_reported(folder: Path) -> None:
    run("embed", folder)  # what is imported then may be out of reach below
    with tempfile.TemporaryDirectory() as made:
        root = Path(made)
        root.chmod(0o755)
        (root / "cat.jpg").write_bytes((folder / "cat.jpg").read_bytes())
        (root / "cat.jpg").chmod(0o644)
        (root / "closed").mkdir(mode=0o700)
        if os.geteuid():
            (root / "closed").chmod(0)
        with nobody():
            for command in ("embed", "pairs"):
                done = run(command, root)
                assert done.exit_code == 1, done.output
                assert f"{root / 'closed'}: the folder can't be read: Permission denied." in done.stderr
        (root / "closed").chmod(0o700)


@pytest.mark.slow
def test_folders_deeper_than_a_path_may_be_are_reported(draw: Draw) -> None:
    folder = draw("a.png").parent
    here = os.open(folder, os.O_RDONLY)
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    done = run("embed", folder)
    assert done.exit_code == 1
    assert "the folder can't be read: File name too long." in done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.slow
def test_further_names_of_a_file_are_not_its_duplicates(draw: Draw) -> None:
    path = draw("a.png")
    (path.parent / "b.png").symlink_to("a.png")
    (path.parent / "c.png").hardlink_to(path)
    done = run("pairs", path.parent)
    assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    for name in ("b.png", "c.png"):
        assert f"{path.parent / name}: the same file as {path}." in done.stderr
    draw("d.png")
    assert len(run("pairs", path.parent).stdout.splitlines()) == 3


@pytest.mark.parametrize("output", ["missing/v.jsonl", "missing/v.npy", "a.png/v.npy", "folder.npy"])
def test_an_output_that_can_not_be_written_is_refused_before_any_work(draw: Draw, output: str) -> None:
    folder = draw("a.png").parent
    (folder / "folder.npy").mkdir()
    with answering(VECTOR) as server:
        done = run("embed", folder, "--url", server.url, "-o", folder / output)
    assert done.exit_code == 2
    assert "--output" in done.stderr
    assert server.bodies == []


def test_a_disk_that_is_full_is_told_in_a_sentence(draw: Draw) -> None:
    folder = draw("a.png").parent
    (folder / "full.jsonl").symlink_to("/dev/full")
    done = run("embed", folder / "a.png", "-o", folder / "full.jsonl")
    assert done.exit_code == 2
    assert isinstance(done.exception, SystemExit), done.exception
