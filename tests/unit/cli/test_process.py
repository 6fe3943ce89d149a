"""The command as a process of its own: how it starts, and how it ends."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from image_similarity import __version__
from tests.unit.cli.strange_server import UNIT, Reply, answering
from tests.unit.cli.test_index import indexed

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-m", "image_similarity.cli"]
BUFFERED = {**os.environ, "PYTHONUNBUFFERED": ""}
"""As users have it: what is written may fail as late as at the end."""
HEAVY = ("numpy", "httpx", "boto3", "botocore", "onnxruntime", "PIL")
STARTS = """
import sys, resource
from image_similarity.cli.app import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    assert not end.code
print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)
print(resource.getrusage(resource.RUSAGE_SELF).ru_utime, file=sys.stderr)
"""


def test_version_and_help_load_nothing_that_computes() -> None:
    for option in ("--version", "--help"):
        started = [sys.executable, "-c", STARTS.format(heavy=HEAVY), option]
        done = subprocess.run(started, capture_output=True, text=True, check=True)
        assert done.stderr.splitlines()[0] == "[]"
        assert float(done.stderr.splitlines()[1]) < 2
    version = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, check=True)
    assert version.stdout == f"image-similarity {__version__}\n"


def interrupted(*arguments: object, when: threading.Event) -> tuple[int, str, str]:
    with subprocess.Popen(
        [*COMMAND, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert when.wait(60), "it did not get so far"
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, stdout, stderr


def test_ctrl_c_while_a_busy_server_is_waited_for(folder: Path) -> None:
    waiting = threading.Event()

    class Busy(Reply):
        def content(self) -> bytes:
            waiting.set()
            return super().content()

    busy = Busy({"code": "Unavailable", "message": "busy"}, 503, {"Retry-After": "31536000"})
    with answering(busy) as server:
        code, stdout, stderr = interrupted("embed", folder, "--url", server.url, when=waiting)
        assert len(server.bodies) <= 4, "it went on after it was stopped"
    assert (code, stdout) == (130, "")
    note, *waits, stopped = stderr.splitlines()
    assert waits in ([], ["The API is busy (status 503): the next try is in 30 s."])
    assert note.endswith("it is an older version. Deploy the stack again to send several at once.")
    assert stopped == "Stopped."


def test_ctrl_c_while_a_server_does_not_answer(folder: Path) -> None:
    waiting, over = threading.Event(), threading.Event()

    class Silent(Reply):
        def content(self) -> bytes:
            waiting.set()
            over.wait(60)
            return super().content()

    with answering(Silent({"result": UNIT})) as server:
        code, _, stderr = interrupted("pairs", folder, "--url", server.url, when=waiting)
        over.set()
    assert (code, stderr) == (130, "Stopped.\n")


def test_a_second_ctrl_c_ends_at_once_and_tells_of_no_error(tmp_path: Path) -> None:
    """What was begun is finished after the first. After the second, threads would find the index closed."""
    first, file = tmp_path / "album" / "0.png", tmp_path / "index.sqlite"
    first.parent.mkdir()
    Image.linear_gradient("L").resize((2500, 2000)).save(first)
    for number in range(1, 100):
        shutil.copy(first, first.with_name(f"{number}.png"))
    command = [*COMMAND, "index", str(first.parent), "--index", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            while not indexed(file):
                assert process.poll() is None, process.stderr and process.stderr.read()
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1] == "Stopped."
    assert all(line == "Stopped." or "were indexed" in line for line in stderr.splitlines()), stderr


def test_names_that_are_not_utf_8_reach_a_terminal_of_any_encoding(tmp_path: Path, folder: Path) -> None:
    for name in (b"caf\xe9.jpg", "写真.jpg".encode()):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes((folder / "cat.jpg").read_bytes())
    for encoding, shown in (("utf-8", b"\xe5\x86\x99"), ("latin-1", b"\\u5199"), ("ascii", b"\\u5199")):
        done = subprocess.run(
            [*COMMAND, "pairs", str(tmp_path)],
            capture_output=True,
            check=True,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert rb"caf\xe9.jpg" in done.stdout
        assert shown in done.stdout


def test_a_reader_that_leaves_ends_the_command_quietly(folder: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, "embed", *[str(folder / "cat.jpg")] * 40], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        stderr = process.stderr.read()
        process.wait(120)
    assert b"Traceback" not in stderr


def test_a_reader_that_is_gone_before_the_last_line(folder: Path) -> None:
    """Of so little, nothing is written before the end."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "compare", folder / "cat.jpg", folder / "cat.jpg"],
        stdout=writing,
        stderr=subprocess.PIPE,
        env=BUFFERED,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"the same picture\n")


@pytest.mark.parametrize("command", ["compare", "index", "pairs"])
def test_an_output_on_a_full_disk_is_said_to_be_lost(folder: Path, tmp_path: Path, command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, command, folder / "cat.jpg", folder / "more" / "cat.PNG"],
            stdout=full,
            stderr=subprocess.PIPE,
            env={**BUFFERED, "XDG_DATA_HOME": str(tmp_path)},
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == b"error: the output can't be written: No space left on device."


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_end_nothing_and_no_file_takes_their_place(
    folder: Path, tmp_path: Path, closed: str
) -> None:
    script = f'"$@" {closed}'
    arguments = [*COMMAND, "index", str(folder), str(tmp_path / "missing.jpg")]
    done = subprocess.run(
        ["bash", "-c", script, "bash", *arguments],
        capture_output=True,
        env={**BUFFERED, "XDG_DATA_HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    again = subprocess.run(
        [*COMMAND, "index", "--json"],
        capture_output=True,
        check=True,
        env={**BUFFERED, "XDG_DATA_HOME": str(tmp_path)},
    )
    assert b'"kept": 3' in again.stdout
