"""The model stage of an image build, by its shell script: the bundled model alone needs no network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from supply_chain import weights

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What the stage copies from the build context."""
    for folder in ("supply_chain", "image_similarity/models/embedded"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    return tmp_path


def exported(build: Path, model: str = "embedded") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MODEL": model, "PRETRAINED": "", "PRECISION": "fp16", "PYTHONPATH": ""}
    command = ["sh", "supply_chain/model.sh", "export", "out"]
    return subprocess.run(command, cwd=build, env=environment, capture_output=True, text=True, check=False)


def test_the_bundled_model_is_taken_as_it_is(build: Path) -> None:
    done = exported(build)
    assert done.returncode == 0, done.stderr
    for name in ("model.onnx", "model.onnx.data", "manifest.json"):
        assert (build / "out" / name).read_bytes() == (
            ROOT / "image_similarity" / "models" / "embedded" / name
        ).read_bytes()


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data"])
def test_other_bytes_than_the_manifest_records_end_the_build(name: str, build: Path) -> None:
    with (build / "image_similarity" / "models" / "embedded" / name).open("r+b") as file:
        file.seek(1000)
        file.write(b"other")
    done = exported(build)
    assert done.returncode == 1
    assert done.stderr.startswith(f"No weights: {name} has SHA-256 ")


def test_a_model_without_its_weights_ends_the_build(build: Path) -> None:
    (build / "image_similarity" / "models" / "embedded" / "model.onnx.data").unlink()
    done = exported(build)
    assert done.returncode == 1
    assert done.stderr.startswith("No weights: ")


@pytest.mark.parametrize("arguments", [[], ["--check"], ["--model", "ViT-B-32"]])
def test_weights_are_asked_for_by_model_and_tag(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        weights.main(arguments)
    assert ended.value.code == 2
    assert "--model and --pretrained are required" in capsys.readouterr().err
