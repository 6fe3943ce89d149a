import json
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.manifest import ManifestError

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "image_similarity" / "models" / "embedded"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(MODEL, tmp_path / "model"))


def test_warm_makes_one_embedding() -> None:
    class Counting(OnnxEncoder):
        made = 0

        def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
            vectors = super().encode(batch)
            self.made += len(vectors)
            return vectors

    encoder = Counting(MODEL, threads=1)
    assert encoder.made == 0
    encoder.warm()
    assert encoder.made == 1


@pytest.mark.parametrize("size", [32, 225])
def test_a_manifest_whose_size_is_not_the_models_is_refused_at_the_start(copy: Path, size: int) -> None:
    manifest = copy / "manifest.json"
    content = json.loads(manifest.read_text())
    content["preprocessing"]["size"] = size
    manifest.write_text(json.dumps(content))
    with pytest.raises(ManifestError, match=rf"preprocessing.size is {size}, but model.onnx takes .*224"):
        OnnxEncoder(copy, threads=1)


def test_the_name_and_what_the_manifest_says() -> None:
    encoder = OnnxEncoder(MODEL, threads=1)
    assert encoder.name == "embedded/efficientnet_lite0-imagenet"
    assert encoder.manifest.dimensions == 512


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data"])
def test_a_damaged_artifact_is_not_loaded(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(ManifestError, match=rf"{name} has the checksum .* export the model again"):
        OnnxEncoder(copy, threads=1)


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data"])
def test_a_missing_file(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(ManifestError, match=rf"{name} can't be read: No such file"):
        OnnxEncoder(copy, threads=1)


def test_an_artifact_that_is_no_model(copy: Path) -> None:
    from dataclasses import replace
    from hashlib import sha256

    from image_similarity.inference.manifest import Manifest

    (copy / "model.onnx").write_bytes(b"no model")
    replace(Manifest.load(copy), sha256=sha256(b"no model").hexdigest()).save(copy)
    with pytest.raises(ManifestError, match="is not loadable by ONNX Runtime"):
        OnnxEncoder(copy, threads=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, 224, 224, 3), np.float32),
        np.zeros((224, 224, 3), np.uint8),
        np.zeros((1, 225, 224, 3), np.uint8),
        np.zeros((1, 3, 224, 224), np.uint8),
    ],
)
def test_another_input_is_refused(batch: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"expected uint8 \[n, 224, 224, 3\]"):
        OnnxEncoder(MODEL, threads=1).encode(batch)


def test_at_least_one_thread() -> None:
    with pytest.raises(ValueError, match="threads is 0, expected 1 or more"):
        OnnxEncoder(MODEL, threads=0)


@pytest.mark.slow
def test_threads_may_share_one_session() -> None:
    encoder = OnnxEncoder(MODEL, threads=1)
    batches = np.random.default_rng(0).integers(0, 256, (12, 1, 224, 224, 3), dtype=np.uint8)
    alone = [encoder.encode(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(encoder.encode, batches))
    np.testing.assert_array_equal(np.stack(alone), np.stack(together))


@pytest.mark.slow
def test_torch_stays_out_of_the_request_path() -> None:
    code = (
        "import sys\n"
        "from image_similarity.inference import encoder, image, request, similarity, sources\n"
        "print(sorted({'torch', 'open_clip', 'boto3', 'botocore', 'aws_cdk', 'onnx'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "[]"
