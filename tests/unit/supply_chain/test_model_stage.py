"""The model stage of an image build, by its shell script: the bundled model alone needs no network."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from supply_chain import weights
from supply_chain.pins import Pins, Weights

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


@pytest.mark.slow
def test_the_bundled_model_is_taken_as_it_is(build: Path) -> None:
    done = exported(build)
    assert done.returncode == 0, done.stderr
    for name in ("model.onnx", "model.onnx.data", "manifest.json"):
        assert (build / "out" / name).read_bytes() == (
            ROOT / "image_similarity" / "models" / "embedded" / name
        ).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data"])
def test_other_bytes_than_the_manifest_records_end_the_build(name: str, build: Path) -> None:
    with (build / "image_similarity" / "models" / "embedded" / name).open("r+b") as file:
        file.seek(1000)
        file.write(b"other")
    done = exported(build)
    assert done.returncode == 1
    assert done.stderr.startswith(f"No weights: {name} has SHA-256 ")


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(("pins", "code"), [("required", 1), ("optional", 0), (None, 1)])
def test_weights_that_nobody_pinned_are_refused_or_warned_of(
    build: Path, pins: str | None, code: int
) -> None:
    environment = {**os.environ, "MODEL": "ViT-B-32", "PRETRAINED": "openai", "PRECISION": "fp16"}
    environment |= {"PINS": pins} if pins else {}
    command = ["sh", "supply_chain/model.sh", "check"]
    done = subprocess.run(command, cwd=build, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    said = (
        "WARNING: ViT-B-32/openai is not pinned"
        if pins == "optional"
        else "No weights: ViT-B-32/openai is not in"
    )
    assert done.stderr.startswith(said)


@pytest.mark.slow
def test_the_encoder_for_copies_is_pinned_so_that_its_build_may_begin(build: Path) -> None:
    environment = {**os.environ, "MODEL": "sscd_disc_mixup", "PRETRAINED": "meta", "PRECISION": "fp16"}
    command = ["sh", "supply_chain/model.sh", "check"]
    done = subprocess.run(command, cwd=build, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("pins", "scheme", "code"), [("required", "smooth", 0), ("required", None, 1), ("optional", None, 0)]
)
def test_an_int8_build_takes_the_pinned_scheme_and_no_other(
    build: Path, pins: str, scheme: str | None, code: int
) -> None:
    """Which scheme passes may differ by machine; vectors under one name must not."""
    file = build / "supply_chain" / "pins.json"
    entry = Weights("laion/x", "f", "c" * 40, "a" * 64, int8=scheme)
    Pins({}, {"ViT-B-32/t": entry}).save(file)
    environment = {**os.environ, "MODEL": "ViT-B-32", "PRETRAINED": "t", "PRECISION": "int8", "PINS": pins}
    command = ["sh", "supply_chain/model.sh", "check"]
    done = subprocess.run(command, cwd=build, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code
    sentence = "the int8 scheme of ViT-B-32/t is not pinned"
    said = "" if scheme else f"No weights: {sentence}" if code else f"WARNING: {sentence}"
    assert done.stderr.startswith(said)
    assert bool(done.stderr) == (scheme is None)


def test_a_file_of_ones_own_is_taken_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(weights, "CHECKPOINTS", tmp_path)
    entries = {"m/mine": Weights(None, "mine.safetensors"), "m/absent": Weights(None, "absent")}
    monkeypatch.setattr(Pins, "load", lambda: Pins({}, entries))
    assert weights.main(["--model", "m", "--pretrained", "mine", "--by-name"]) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "mine.safetensors")
    assert weights.main(["--model", "m", "--pretrained", "tag", "--by-name"]) == 0
    assert capsys.readouterr().out.strip() == "", "open_clip fetches what the tag stands for"
    assert weights.main(["--model", "m", "--pretrained", "absent", "--by-name"]) == 1
    assert weights.main(["--model", "m", "--pretrained", "mine"]) == 1
