"""The exporter's command line, in its own environment (make test-export)."""

import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.manifest import HALVES, Manifest

pytestmark = [pytest.mark.export, pytest.mark.timeout(600)]
ROOT = Path(__file__).parents[2]
PYTHON = os.environ.get("EXPORT_PYTHON", str(ROOT / ".venv-export" / "bin" / "python"))


def export(output: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PYTHON, "-m", "image_similarity.inference.export", "--output", str(output), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


def test_the_rebuilt_model_is_the_committed_one(tmp_path: Path) -> None:
    """Bit for bit with the locked packages; vectors within 1e-6 is what any machine must give."""
    result = export(tmp_path, "--model", "embedded")
    assert result.returncode == 0, result.stderr
    committed, rebuilt = (
        Manifest.load(ROOT / "image_similarity" / "models" / "embedded"),
        Manifest.load(tmp_path),
    )
    batch = np.random.default_rng(0).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    a = OnnxEncoder(ROOT / "image_similarity" / "models" / "embedded", threads=1).encode(batch)
    b = OnnxEncoder(tmp_path, threads=1).encode(batch)
    np.testing.assert_allclose(a, b, atol=1e-6, rtol=0)
    assert replace(rebuilt, parity={}) == replace(committed, parity={})


@pytest.mark.parametrize(("precision", "limit"), [("fp16", 0.9999), ("int8", 0.99)])
def test_a_vision_transformer(tmp_path: Path, precision: str, limit: float) -> None:
    """The rewritten graph (patches, fused attention, class token alone) is open_clip's model."""
    flags = ["--int8"] if precision == "int8" else []
    result = export(tmp_path, "--model", "ViT-B-32", "--pretrained", "random", *flags)
    assert result.returncode == 0, result.stderr
    manifest = Manifest.load(tmp_path)
    assert manifest.precision == precision
    assert manifest.parity["cosine_min"] >= limit
    assert manifest.preprocessing.mean == (0.48145466, 0.4578275, 0.40821073)
    size = (tmp_path / "model.onnx.data").stat().st_size / 1e6
    assert size < (180 if precision == "fp16" else 100)
    assert set(manifest.halves) == set(HALVES)
    batch = np.random.default_rng(0).integers(0, 256, (2, 224, 224, 3), dtype=np.uint8)
    whole, halves = (OnnxEncoder(tmp_path, threads=threads).encode(batch) for threads in (1, 2))
    np.testing.assert_array_equal(whole, halves)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--model", "ViT-L-14", "--pretrained", "random"],
            "gives 768 dimensions, but the API's vectors have 512",
        ),
        (["--model", "ViT-B-33"], "has no model 'ViT-B-33'"),
        (["--model", "ViT-B-32"], "--pretrained is missing: the tags of ViT-B-32 are openai, "),
        (["--model", "ViT-B-32", "--pretrained", "mine"], "give --preprocessing FILE.json"),
        (["--model", "ViT-B-32-quickgelu", "--pretrained", "laion2b_s34b_b79k"], "is no open_clip tag"),
    ],
)
def test_what_can_not_be_exported(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    result = export(tmp_path / "out", *arguments)
    assert result.returncode == 1
    assert result.stderr.startswith("export: ")
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()


SAVE = """
import sys, torch
from image_similarity.inference.export.torchvision_shim import import_torchvision
import_torchvision()
import open_clip
torch.manual_seed(5)
torch.save(open_clip.create_model("ViT-B-32").state_dict(), sys.argv[1])
"""


def test_a_local_checkpoint_needs_its_preprocessing(tmp_path: Path) -> None:
    weights = tmp_path / "mine.pt"
    subprocess.run([PYTHON, "-c", SAVE, str(weights)], cwd=ROOT, check=True, timeout=200, capture_output=True)
    local = ["--model", "ViT-B-32", "--pretrained", "mine", "--checkpoint", str(weights)]
    refused = export(tmp_path / "out", *local)
    assert refused.returncode == 1
    assert "so nothing tells how its pictures are prepared" in refused.stderr
    settings = {
        "mean": [0.1, 0.2, 0.3],
        "std": [0.4, 0.5, 0.6],
        "interpolation": "bilinear",
        "resize_mode": "squash",
    }
    (tmp_path / "preprocessing.json").write_text(json.dumps(settings))
    result = export(tmp_path / "out", *local, "--preprocessing", str(tmp_path / "preprocessing.json"))
    assert result.returncode == 0, result.stderr
    manifest = Manifest.load(tmp_path / "out")
    assert manifest.name == "ViT-B-32/mine"
    assert manifest.preprocessing.mean == (0.1, 0.2, 0.3)
    assert manifest.preprocessing.resize_mode == "squash"
