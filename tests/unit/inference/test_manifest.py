import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
import xxhash

from image_similarity.inference.manifest import Manifest, ManifestError, Preprocessing

MANIFEST = Manifest(
    model="ViT-B-32",
    pretrained="laion2b_s34b_b79k",
    sha256=hashlib.sha256(b"model").hexdigest(),
    weights_sha256=hashlib.sha256(b"weights").hexdigest(),
    weights_xxh3=xxhash.xxh3_128_hexdigest(b"weights"),
    dimensions=512,
    preprocessing=Preprocessing(size=224, mean=(0.1, 0.2, 0.3), std=(0.4, 0.5, 0.6)),
    opset=20,
    precision="fp16",
    parity={"pictures": 8, "cosine_min": 0.99999, "cosine_mean": 1.0},
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    MANIFEST.save(tmp_path)
    assert Manifest.load(tmp_path) == MANIFEST
    assert MANIFEST.name == "ViT-B-32/laion2b_s34b_b79k"


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data"])
def test_another_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.onnx").write_bytes(b"model")
    (tmp_path / "model.onnx.data").write_bytes(b"weights")
    MANIFEST.verify(tmp_path)
    (tmp_path / name).write_bytes(b"other")
    with pytest.raises(ManifestError, match=rf"{name} has the checksum .* export the model again"):
        MANIFEST.verify(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(ManifestError, match=rf"{name} can't be read: No such file"):
        MANIFEST.verify(tmp_path)


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"manifest.json does not exist: export the model there first"):
        Manifest.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("dimensions", 768, "dimensions is 768, but the API's vectors have 512"),
        ("precision", "fp8", "precision is 'fp8', expected one of fp16, int8"),
        ("preprocessing", {"size": 224, "interpolation": "random"}, "is not a model manifest"),
        ("preprocessing", {"size": 0, "mean": [0, 0, 0], "std": [1, 1, 1]}, "expected 1 to 4096 pixels"),
        ("preprocessing", {"size": 9, "mean": [0, 0], "std": [1, 1, 1]}, "need three numbers each"),
        ("preprocessing", {"size": 9, "mean": [0] * 3, "std": [1, 1, 0]}, "std above 0"),
        (
            "preprocessing",
            {"size": 9, "mean": [0] * 3, "std": [1] * 3, "draft_factor": -1},
            "draft_factor is -1, expected 0 to 64",
        ),
        (
            "preprocessing",
            {"size": 224.0, "mean": [0] * 3, "std": [1] * 3},
            "size is 224.0, expected",
        ),
        ("preprocessing", {"size": True, "mean": [0] * 3, "std": [1] * 3}, "size is True, expected"),
        ("preprocessing", {"size": 9, "mean": ["0"] * 3, "std": [1] * 3}, "need three numbers each"),
        ("dimensions", 512.0, "dimensions is 512.0, expected a whole number"),
        ("sha256", 7, "sha256 is 7, expected a string"),
        ("model", None, "model is None, expected a string"),
        ("unknown", 1, "is not a model manifest"),
    ],
)
def test_wrong_content(tmp_path: Path, key: str, value: object, sentence: str) -> None:
    MANIFEST.save(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(ManifestError, match=sentence):
        Manifest.load(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "\xff", pytest.param("[" * 100_000, id="deep")])
def test_not_a_manifest(tmp_path: Path, text: str) -> None:
    (tmp_path / "manifest.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ManifestError, match="is not a model manifest"):
        Manifest.load(tmp_path)


def test_preprocessing_is_checked_in_memory_too() -> None:
    with pytest.raises(ManifestError, match="resize_mode is 'longest', expected one of shortest, squash"):
        replace(MANIFEST.preprocessing, resize_mode="longest")  # type: ignore[arg-type]
