"""Halves of a model, loaded side by side, are the model."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from image_similarity.inference import sessions
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.loading import DEFAULT_MODEL_DIR as EMBEDDED
from image_similarity.inference.manifest import HALVES, MODEL_FILE, Manifest, ManifestError
from tests.support import halved_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("halves") / "model"
    halved_model.write(folder)
    return folder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that sessions are made of."""
    names: list[str] = []
    open_session = sessions.open_session

    def noting(file: Path, threads: int) -> object:
        names.append(file.name)
        return open_session(file, threads)

    monkeypatch.setattr(sessions, "open_session", noting)
    return names


def pictures(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (number, 224, 224, 3), dtype=np.uint8)


@pytest.mark.parametrize("number", [1, 3])
def test_both_halves_give_the_wholes_vectors(model: Path, number: int) -> None:
    whole, halves = (OnnxEncoder(model, threads=threads).encode(pictures(number)) for threads in (1, 2))
    np.testing.assert_array_equal(whole, halves)
    np.testing.assert_allclose(np.linalg.norm(whole, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("threads", "files"), [(1, {MODEL_FILE}), (2, set(HALVES)), (4, set(HALVES))])
def test_halves_are_for_several_cores(model: Path, opened: list[str], threads: int, files: set[str]) -> None:
    OnnxEncoder(model, threads=threads)
    assert set(opened) == files
    assert len(opened) == len(files)


def test_a_gpu_takes_the_whole(model: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "has_cuda", lambda: True)
    OnnxEncoder(model, threads=2)
    assert opened == [MODEL_FILE]


def test_a_model_without_halves(opened: list[str]) -> None:
    OnnxEncoder(EMBEDDED, threads=2)
    assert opened == [MODEL_FILE]


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", HALVES)
def test_a_damaged_or_missing_half(tmp_path: Path, name: str, threads: int) -> None:
    model = tmp_path / "model"
    halved_model.write(model)
    content = bytearray((model / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / name).write_bytes(content)
    with pytest.raises(ManifestError, match=rf"{name} has the checksum .* export the model again"):
        OnnxEncoder(model, threads=threads)
    (model / name).unlink()
    with pytest.raises(ManifestError, match=rf"{name} can't be read: No such file"):
        OnnxEncoder(model, threads=threads)


@pytest.mark.parametrize("name", HALVES)
def test_a_half_that_is_no_model(tmp_path: Path, name: str) -> None:
    model = tmp_path / "model"
    manifest = halved_model.write(model)
    (model / name).write_bytes(b"no model")
    replace(manifest, halves={**manifest.halves, name: sha256(b"no model").hexdigest()}).save(model)
    with pytest.raises(ManifestError, match=f"{name} is not loadable by ONNX Runtime"):
        OnnxEncoder(model, threads=2)


def test_halves_that_changed_places(tmp_path: Path) -> None:
    model = tmp_path / "model"
    manifest = halved_model.write(model)
    first, second = (model / name for name in HALVES)
    first.rename(tmp_path / "first")
    second.rename(first)
    (tmp_path / "first").rename(second)
    swapped = dict(zip(HALVES, reversed(manifest.halves.values()), strict=True))
    replace(manifest, halves=swapped).save(model)
    sentence = "model.first.onnx gives 'embedding', but model.second.onnx takes 'image'"
    with pytest.raises(ManifestError, match=sentence):
        OnnxEncoder(model, threads=2)


def test_an_artifact_without_halves_says_nothing_of_them(tmp_path: Path) -> None:
    """Earlier versions refuse a manifest with a field that they do not know."""
    manifest = Manifest.load(EMBEDDED)
    manifest.save(tmp_path)
    assert "halves" not in json.loads((tmp_path / "manifest.json").read_text())
    assert Manifest.load(tmp_path) == manifest


@pytest.mark.parametrize(
    "halves", [{HALVES[0]: "0"}, {"../other": "0"}, [*HALVES], "both", 2, None, [], 0, False, ""]
)
def test_a_manifest_with_other_halves(model: Path, tmp_path: Path, halves: object) -> None:
    content = json.loads((model / "manifest.json").read_text()) | {"halves": halves}
    (tmp_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=r"halves is .*, expected the SHA-256 of model.first.onnx and"):
        Manifest.load(tmp_path)
