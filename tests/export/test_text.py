"""Text towers against open_clip's own, with seeded weights (make test-export)."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from image_similarity.inference.manifest import Manifest
from image_similarity.inference.text.manifest import TextManifest
from image_similarity.inference.text.words import Words
from tests.export.test_export import PYTHON, ROOT, export

pytestmark = [pytest.mark.export, pytest.mark.timeout(900)]
CLIP_MERGES = 48_894


def compared(*arguments: object) -> dict[str, Any]:
    done = subprocess.run(
        [PYTHON, "-m", "tests.export.beside_open_clip", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_token_ids_are_open_clip_s() -> None:
    """Ten thousand texts with emoji, CJK, HTML entities, odd spaces, mended encodings and marks."""
    answer = compared("ids", 10_000, 18)
    assert answer["different"] == []
    assert answer["texts"] == 10_000
    assert answer["tokens"] > 300_000  # they are no empty texts
    assert answer["kinds"] > 10_000
    assert answer["over77"] > 100  # counted, where open_clip cuts


@pytest.mark.parametrize(
    ("model", "padded"),
    [
        ("ViT-B-32", False),
        ("ViT-B-16-quickgelu", False),
        ("RN101", False),
        ("EVA02-B-16", False),
        ("MobileCLIP-S1", True),
    ],
)
def test_vectors_are_open_clip_s_and_a_swapped_token_is_seen(model: str, padded: bool) -> None:
    answer = compared("gate", model)
    assert answer["parity"]["cosine_min"] >= 0.9999
    assert answer["full_length_cosine"] >= 0.9999
    assert (answer["context"], answer["padded"]) == (77, padded)
    assert answer["parity"]["swapped_cosine_max"] < 0.99
    assert len(answer["each_swapped"]) == answer["parity"]["texts"] == 18
    assert all(answer["each_swapped"])
    swapped, misread = answer["measured_again"]
    assert "the text tower is not open_clip's: cosine 0." in swapped
    assert "'a red shirt' has other token ids than open_clip's" in misread
    assert "takes at most 75; shorten it" in answer["too_long"]
    assert answer["merges"] == CLIP_MERGES


def test_a_model_is_exported_with_its_words(tmp_path: Path) -> None:
    """And what lay there of another model goes; 8 bits for pictures leave the words as they are."""
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "old").write_text("of another model")
    result = export(tmp_path, "--model", "ViT-B-32", "--pretrained", "random", "--int8")
    assert result.returncode == 0, result.stderr
    assert "text tower, parity" in result.stdout
    files = {file.name for file in (tmp_path / "text").iterdir()}
    assert files == {"manifest.json", "merges.txt", "model.onnx", "model.onnx.data"}
    manifest = TextManifest.load(tmp_path / "text")
    assert manifest.parity["cosine_min"] >= 0.9999
    vector = Words(tmp_path, Manifest.load(tmp_path), threads=1).encode("a red shirt")
    assert vector.shape == (512,)
    embedded = export(tmp_path, "--model", "embedded")
    assert "no text tower is exported: the model has none" in embedded.stdout
    assert not (tmp_path / "text").exists()


@pytest.mark.parametrize("model", ["xlm-roberta-base-ViT-B-32", "nllb-clip-base", "roberta-ViT-B-32"])
def test_towers_of_a_model_hub(tmp_path: Path, model: str) -> None:
    result = export(tmp_path / "out", "--model", model, "--pretrained", "random")
    assert result.returncode == 1
    assert "has a text tower of a model hub" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_text_tower_with_a_class_token_is_left_out() -> None:
    assert "class token" in compared("obstacle", "coca_ViT-B-32")["obstacle"]
