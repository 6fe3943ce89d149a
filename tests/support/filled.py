"""Fills the placeholders of an example, as a reader would, and runs it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
URL = "https://API_ID.execute-api.REGION.amazonaws.com/STAGE/image-similarity"
IMAGE_URL = "Image URL address"
JARS = [Path("/usr/share/java") / name for name in ("okhttp.jar", "okio.jar")]
NEWMAN = ROOT / "tests" / "tools" / "node_modules" / "newman" / "bin" / "newman.js"
RUN_SECONDS = 200
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
SESSION = {**KEYS, "AWS_SESSION_TOKEN": "example-token"}


def commands() -> dict[str, list[str]]:
    """How a file of each kind is run."""
    return {
        ".sh": ["sh"],
        ".py": [sys.executable],
        ".mjs": [str(ROOT / ".venv" / "bin" / "node")],
        ".java": ["java", "--class-path", ":".join(map(str, JARS))],
    }


def need(example: str) -> None:
    """Skip where this machine lacks what the example runs on."""
    program = commands()[Path(example).suffix][0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    if "OkHttp" in example and not all(jar.exists() for jar in JARS):
        pytest.skip("OkHttp is not on this machine: apt-get install libokhttp-java")


def fill(example: str, places: Mapping[str, str], folder: Path) -> Path:
    """Copy an example with its placeholders filled; each must occur.

    The copy keeps its name, which Java requires.
    """
    text = (EXAMPLES / example).read_text("utf-8")
    for place, value in places.items():
        assert place in text, f"{example} has no {place}"
        text = text.replace(place, value)
    target = folder / Path(example).name
    target.write_text(text, "utf-8")
    return target


def run(script: Path, cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a filled example in the folder of the pictures, without this machine's own credentials."""
    return run_command([*commands()[script.suffix], str(script)], cwd, environment)


def run_command(
    command: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a command without this machine's own credentials."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return subprocess.run(
        command,
        cwd=cwd,
        env={**inherited, "AWS_EC2_METADATA_DISABLED": "true", **environment},
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    """The JSON that the example printed."""
    assert done.returncode == 0, done.stdout + done.stderr
    parsed: dict[str, object] = json.loads(done.stdout)
    return parsed
