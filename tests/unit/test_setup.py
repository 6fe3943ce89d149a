"""What a set-up does where the one before was interrupted: supply_chain/venv.sh."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def made(folder: Path) -> str:
    command = ["sh", str(ROOT / "supply_chain" / "venv.sh"), folder.name, sys.executable]
    done = subprocess.run(command, cwd=folder.parent, capture_output=True, text=True, check=True, timeout=120)
    assert (folder / ".making").exists()
    assert not (folder / ".ready").exists()
    subprocess.run([folder / "bin" / "python", "-m", "pip", "--version"], check=True, capture_output=True)
    return done.stdout


def finish(folder: Path) -> None:
    (folder / ".making").rename(folder / ".ready")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("a folder, ünïcode") / ".venv"
    assert made(folder) == ""
    finish(folder)
    return folder


def test_a_whole_one_is_kept_and_marked_until_its_owner_is_done(environment: Path) -> None:
    (environment / "kept").touch()
    assert made(environment) == ""
    assert (environment / "kept").exists()
    finish(environment)


def without_pip(folder: Path) -> None:
    for installed in folder.glob("lib/python3*/site-packages/pip"):
        installed.rename(folder / "gone")


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / ".ready").rename(folder / ".making"),
        without_pip,
        lambda folder: (folder / "bin" / "python").unlink(),
    ],
    ids=["interrupted", "without pip", "without python"],
)
def test_half_a_one_is_made_anew(damage: Callable[[Path], object], environment: Path) -> None:
    (environment / "left over").touch()
    damage(environment)
    assert made(environment) == "set-up: .venv is unfinished or broken: making it anew\n"
    assert not (environment / "left over").exists()
    finish(environment)
