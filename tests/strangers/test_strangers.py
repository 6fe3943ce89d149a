"""The comparison itself: what it says of files, and how it outlives a reader that does not answer."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

from tests.strangers import judge
from tests.strangers.judge import Outcome
from tests.strangers.readers import Square
from tests.support import files

PHOTO = Image.fromarray(skimage.data.chelsea())
LATE_TRANSPARENCY = files.png(np.full((300, 300, 3), (9, 99, 199), np.uint8), files.RGB)
LATE_TRANSPARENCY = (
    LATE_TRANSPARENCY[:-12]
    + files.chunk(b"tRNS", bytes([0, 9, 0, 99, 0, 199]))
    + files.chunk(b"eXIf", files.exif_block(6))
    + LATE_TRANSPARENCY[-12:]
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "below").mkdir()
    for kind in ("JPEG", "PNG", "WEBP"):
        (tmp_path / "below" / f"good.{kind}").write_bytes(files.saved(PHOTO, kind))
    (tmp_path / "a film.gif").write_bytes(files.saved(PHOTO, "GIF"))
    (tmp_path / "late.png").write_bytes(LATE_TRANSPARENCY)
    (tmp_path / "nothing.jpg").write_bytes(b"")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "below" / "good.JPEG")
    return tmp_path


def test_a_folder_is_told_by_cause(folder: Path) -> None:
    seen = folder.parent / f"{folder.name} seen"
    process = subprocess.run(
        [sys.executable, "-m", "tests.strangers", folder, "--show", "--save", seen],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout.count("\n| ") > 3
    for words in (
        "6 files through ours, Pillow",
        "the file is empty",
        "this is a GIF",
        "refused, read by Pillow",
    ):
        assert words in process.stdout
    assert f"{folder}/late.png: DIFFERS: from Pillow" in process.stdout
    assert any("late.png" in path.name for path in seen.iterdir())
    assert "link.jpg" not in process.stdout


def crashing(_data: bytes) -> Square:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # other tests in this process may have handled it
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("still alive")


def failing(_data: bytes) -> Square:
    raise KeyError(7)


def looping(_data: bytes) -> Square:
    while True:
        pass


def test_a_reader_that_does_not_answer_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    for reader, words, seconds in (
        (crashing, "signal 15", 100),
        (failing, "KeyError: 7", 100),
        (looping, "signal 9", 2),
    ):
        monkeypatch.setattr(judge, "SECONDS", seconds)
        outcome = judge.read_apart(reader, b"")
        assert words in outcome.refusal
        kind, cause = judge.compared(
            {"ours": outcome, "Pillow": Outcome(square=np.zeros((2, 2, 3), np.uint8))}
        )
        assert (kind, cause) == ("DEFECT", outcome.refusal)
