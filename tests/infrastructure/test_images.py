"""The images' build contexts: what an edit rebuilds, and what it does not."""

import shutil
from pathlib import Path

import aws_cdk as cdk
import pytest

from cdk_app import images
from cdk_app.config import DeploymentConfig

ROOT = Path(__file__).resolve().parents[2]
COPIED = (
    "inference",
    "lambda",
    "sagemaker",
    "containers",
    "models/embedded/manifest.json",
    "README.md",
    "docs",
    "app.py",
)
# file to edit -> the images that are built anew
EDITS = {
    "README.md": set(),
    "docs/deploy.md": set(),
    "app.py": set(),
    "tests/new_test.py": set(),
    "inference/service.py": {"lambda", "sagemaker"},
    "models/embedded/manifest.json": {"lambda", "sagemaker"},
    "lambda/handler.py": {"lambda"},
    "lambda/requirements.txt": {"lambda"},
    "sagemaker/server.py": {"sagemaker"},
    "inference/__pycache__/service.cpython-312.pyc": set(),
    "lambda/__pycache__/handler.cpython-312.pyc": set(),
    "inference/.mypy_cache/3.12/x.json": set(),
}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of what matters, which a test may edit."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
        elif source.exists():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, tmp_path / name)
    monkeypatch.setattr(images, "ROOT", tmp_path)
    return tmp_path


def hashes() -> dict[str, str]:
    stack = cdk.Stack(cdk.App(), "Stack")
    made = {}
    for backend in ("lambda", "sagemaker"):
        scope = cdk.Stack(stack, backend)
        made[backend] = images.image(scope, backend, DeploymentConfig()).asset_hash
    return made


@pytest.mark.parametrize("edited", EDITS)
def test_an_edit_rebuilds_only_what_it_changes(checkout: Path, edited: str) -> None:
    before = hashes()
    file = checkout / edited
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes((file.read_bytes() if file.exists() else b"") + b"\n# edited\n")
    after = hashes()
    assert {backend for backend in before if before[backend] != after[backend]} == EDITS[edited]
