"""Encoders and int8 with seeded weights, through the exporter as a build runs it (make test-export)."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import Manifest
from supply_chain.pins import Pins
from tests.export.test_export import PYTHON, ROOT, export
from tests.support.adapters import lambda_handler, sagemaker_server

pytestmark = [pytest.mark.export, pytest.mark.timeout(900)]
PICTURES = sorted((ROOT / "image_similarity" / "inference" / "export" / "pictures").glob("*.jpg"))


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeded")
    command = [PYTHON, "-m", "tests.export.seeded", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=800, capture_output=True)
    return folder


def test_a_torchscript_encoder_goes_through_the_model_stage_and_both_adapters(
    seeded: Path, tmp_path: Path
) -> None:
    """The same stage is in both Dockerfiles; the seeded file lies where the pinned one would."""
    for folder in ("supply_chain", "image_similarity"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    name = "sscd_disc_mixup.torchscript.pt"
    (tmp_path / "checkpoints").mkdir()
    weights = Path(shutil.copy(seeded / name, tmp_path / "checkpoints" / name))
    pins = Pins.load()
    entry = replace(
        pins.weights["sscd_disc_mixup/meta"], sha256=hashlib.sha256(weights.read_bytes()).hexdigest()
    )
    Pins(pins.bases, {"sscd_disc_mixup/meta": entry}).save(tmp_path / "supply_chain" / "pins.json")
    model = {"MODEL": "sscd_disc_mixup", "PRETRAINED": "meta", "PRECISION": "fp16", "PYTHONPATH": ""}
    path = os.pathsep.join([str(Path(PYTHON).parent), os.environ["PATH"]])
    for step in (["check"], ["export", str(tmp_path / "model")]):
        done = subprocess.run(
            ["sh", "supply_chain/model.sh", *step],
            cwd=tmp_path,
            env={**os.environ, **model, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    manifest = Manifest.load(tmp_path / "model")
    assert manifest.parity["cosine_min"] >= 0.9999
    assert (manifest.preprocessing.size, manifest.preprocessing.resize_mode) == (320, "squash")
    encoder = OnnxEncoder(tmp_path / "model", threads=1)
    vectors = np.concatenate(
        [
            encoder.encode(decode(file.read_bytes(), preprocessing=manifest.preprocessing)[None])
            for file in PICTURES
        ]
    )
    others = (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]
    assert others.max() < 0.9, "pictures far apart, or the gate shows nothing"
    body = json.dumps({"img": base64.b64encode(PICTURES[0].read_bytes()).decode()}).encode()
    for adapter in (lambda_handler, sagemaker_server):
        with adapter({"MODEL_DIR": str(tmp_path / "model")}) as call:
            answer = call(body, {"Content-Type": "application/json"})
        assert answer.status == 200
        assert answer.headers["x-model"] == "sscd_disc_mixup/meta"
        np.testing.assert_allclose(answer.json["result"], vectors[0], atol=1e-5)


def test_a_torchscript_file_of_ones_own_needs_its_preprocessing(seeded: Path, tmp_path: Path) -> None:
    own = ["--checkpoint", str(seeded / "sscd_disc_mixup.torchscript.pt"), "--model", "mine"]
    refused = export(tmp_path / "out", *own, "--pretrained", "v1")
    assert refused.returncode == 1
    assert "give --preprocessing FILE.json with size, mean" in refused.stderr
    unnamed = export(tmp_path / "out", *own)
    assert "--pretrained is missing" in unnamed.stderr
    (tmp_path / "incomplete.json").write_text('{"size": 64}')
    incomplete = export(
        tmp_path / "out", *own, "--pretrained", "v1", "--preprocessing", str(tmp_path / "incomplete.json")
    )
    assert "the preprocessing of mine is incomplete: 'interpolation'" in incomplete.stderr
    absent = export(tmp_path / "out", "--model", "sscd_disc_mixup", "--pretrained", "meta")
    assert "give --checkpoint FILE" in absent.stderr
    assert not (tmp_path / "out").exists()


def test_a_vector_that_depends_on_the_batch_is_refused(seeded: Path, tmp_path: Path) -> None:
    """Alone, each picture's vector is the file's own: parity sees nothing."""
    settings = {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
    settings |= {"interpolation": "bilinear", "resize_mode": "squash"}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    file = ["--checkpoint", str(seeded / "neighbours.pt"), "--preprocessing", str(tmp_path / "settings.json")]
    done = export(tmp_path / "out", "--model", "neighbours", "--pretrained", "v1", *file)
    assert done.returncode == 1
    assert "a picture alone and one of 3 have different vectors" in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("constant", "tells no pictures apart"),
        ("double", "gives numbers of torch.float64, but the API needs torch.float32"),
        ("whole", "gives numbers of torch.int64, but the API needs torch.float32"),
        ("unknown", "can't become an ONNX model: Exporting the operator 'aten::linalg_svdvals'"),
        ("raising", "a picture that is not grey"),
    ],
)
def test_a_file_that_is_no_encoder_is_refused_in_a_sentence(
    seeded: Path, tmp_path: Path, file: str, sentence: str
) -> None:
    settings = {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
    settings |= {"interpolation": "bilinear", "resize_mode": "squash"}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    arguments = [
        "--checkpoint",
        str(seeded / f"{file}.pt"),
        "--preprocessing",
        str(tmp_path / "settings.json"),
    ]
    done = export(tmp_path / "out", "--model", "mine", "--pretrained", "v1", *arguments)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("settings", ['{"mean": [0, "x", 0]}', '{"size": 32.5}', "[1]", "3", "{"])
def test_preprocessing_that_is_none_is_refused_in_a_sentence(
    seeded: Path, tmp_path: Path, settings: str
) -> None:
    whole: dict[str, object] = {"size": 32, "mean": [0.5] * 3, "std": [0.5] * 3}
    whole |= {"interpolation": "bilinear", "resize_mode": "squash"}
    changed = json.dumps(whole | json.loads(settings)) if settings.endswith("}") else settings
    (tmp_path / "settings.json").write_text(changed)
    arguments = ["--checkpoint", str(seeded / "neighbours.pt"), "--preprocessing"]
    arguments += [str(tmp_path / "settings.json")]
    done = export(tmp_path / "out", "--model", "mine", "--pretrained", "v1", *arguments)
    assert done.returncode == 1
    assert done.stderr.startswith("export: ")
    assert "preprocessing" in done.stderr or "settings.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_outlier_channels_fail_plain_int8_and_pass_in_float(seeded: Path, tmp_path: Path) -> None:
    settings = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "shortest"}
    (tmp_path / "vit.json").write_text(json.dumps(settings))
    vit = ["--model", "ViT-B-32", "--pretrained", "seeded", "--checkpoint", str(seeded / "vit.pt")]
    vit += ["--preprocessing", str(tmp_path / "vit.json")]
    done = export(tmp_path / "first", *vit, "--int8")
    assert done.returncode == 0, done.stderr
    assert "int8 by the scheme outliers" in done.stdout
    chosen = Manifest.load(tmp_path / "first")
    assert (chosen.precision, chosen.scheme) == ("int8", "outliers")
    assert chosen.tried["dynamic"] < 0.99 <= chosen.parity["cosine_min"]
    assert (tmp_path / "first" / "model.onnx.data").stat().st_size < 95e6
    pinned = export(tmp_path / "pinned", *vit, "--int8", "smooth")
    assert pinned.returncode == 0, pinned.stderr
    manifest = Manifest.load(tmp_path / "pinned")
    assert (manifest.scheme, manifest.tried) == ("smooth", {})
    assert manifest.parity["cosine_min"] >= 0.99


@pytest.mark.parametrize(("scheme", "made"), [("first", "dynamic"), ("weights", "weights")])
def test_the_embedded_models_real_weights_in_8_bits(tmp_path: Path, scheme: str, made: str) -> None:
    done = export(tmp_path, "--model", "embedded", "--int8", scheme)
    assert done.returncode == 0, done.stderr
    manifest = Manifest.load(tmp_path)
    assert manifest.scheme == made
    assert manifest.parity["cosine_min"] >= 0.99
    encoder = OnnxEncoder(tmp_path, threads=1)
    batch = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    batch[1] //= 8  # dark: what it is scaled by, its neighbours must not decide
    alone = np.concatenate([encoder.encode(picture[None]) for picture in batch])
    np.testing.assert_array_equal(encoder.encode(batch), alone)
    size = (tmp_path / "model.onnx.data").stat().st_size
    committed = ROOT / "image_similarity" / "models" / "embedded" / "model.onnx.data"
    assert size < 0.6 * committed.stat().st_size


def test_a_scheme_that_finds_nothing_to_do_is_refused_by_name(tmp_path: Path) -> None:
    done = export(tmp_path / "out", "--model", "embedded", "--int8", "smooth")
    assert done.returncode == 1
    assert "the scheme smooth finds nothing in embedded to change" in done.stderr
