"""What a terminal sees while a folder is indexed."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.slow


def on_a_terminal(*arguments: object) -> str:
    """What a command writes to a terminal, without what moves the cursor."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "image_similarity.cli", *map(str, arguments)]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160"}
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: nobody has the other end any more
                break
            if not part:
                break
            written += part
        process.wait(60)
    os.close(ours)
    assert process.returncode == 0, written
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())


def test_progress_has_counts_rate_time_left_and_what_is_done(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    for number in range(60):
        picture = Image.fromarray(chance.integers(0, 256, (64, 64, 3), dtype=np.uint8))
        picture.save(tmp_path / f"[red]{number:02}.png")
    seen = on_a_terminal("index", tmp_path)
    assert "loading the model" in seen
    # Which counts are drawn is the display's own choice: it is drawn anew ten times a second.
    assert re.search(r"indexing .* \d+ of 60 +\d+\.\d pictures/s +0:00:\d\d +\[red\]\d\d\.png", seen)
    assert "60 pictures: 60 indexed" in seen
