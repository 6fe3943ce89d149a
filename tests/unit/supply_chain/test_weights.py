"""An exported model that an image build compares with its manifests."""

import json
from pathlib import Path

import numpy as np
import pytest

from image_similarity.inference.manifest import HALVES
from supply_chain.pins import PinError
from supply_chain.weights import verify
from tests.support import halved_model
from tests.support.text_tower import model_with_words


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_with_words(tmp_path / "model", {"cat": np.eye(1, 512, dtype=np.float32)[0]})


def test_a_model_with_a_text_tower(model: Path) -> None:
    verify(model)


@pytest.mark.parametrize("name", HALVES)
def test_another_half(tmp_path: Path, name: str) -> None:
    model = tmp_path / "model"
    halved_model.write(model)
    verify(model)
    (model / name).write_bytes(b"other")
    with pytest.raises(PinError, match=f"{name} has SHA-256 .*, but manifest.json records"):
        verify(model)


@pytest.mark.parametrize("halves", [None, [], 0, "", [*HALVES], {"../model.onnx": "0"}])
def test_a_manifest_with_other_halves(model: Path, halves: object) -> None:
    path = model / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"halves": halves}))
    with pytest.raises(PinError, match=r"halves in manifest\.json is "):
        verify(model)


@pytest.mark.parametrize(
    "name", ["model.onnx", "model.onnx.data", "text/model.onnx", "text/model.onnx.data", "text/merges.txt"]
)
def test_another_file(model: Path, name: str) -> None:
    path = model / name
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(PinError, match=f"{path.name} has SHA-256 .*, but manifest.json records"):
        verify(model)
