"""Runs a command as a shell would."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from image_similarity.cli.app import app


@pytest.fixture(autouse=True)
def own_index(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the commands of a test keep their index."""
    home = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("XDG_DATA_HOME", str(home))
    return home / "image-similarity"


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)


def run_on(stdin: bytes, *arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)
