"""A text tower beside an encoder: its vectors, what it refuses, and when it is loaded."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.inference.errors import InvalidRequest
from image_similarity.inference.manifest import DIMENSIONS, Manifest, ManifestError
from image_similarity.inference.text.manifest import TextManifest
from image_similarity.inference.text.words import Words
from tests.support.text_tower import CONTEXT, EMBEDDED, model_with_words

ROOT = Path(__file__).parents[4]


def axis(number: int) -> NDArray[np.float32]:
    return np.eye(1, DIMENSIONS, number, dtype=np.float32)[0]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return model_with_words(tmp_path / "model", {"cat": axis(0), "red": axis(1), "shirt": axis(2)})


def words(folder: Path) -> Words:
    return Words(folder, Manifest.load(folder), threads=1)


def test_words_have_unit_vectors(model: Path) -> None:
    tower = words(model)
    assert tower.available
    np.testing.assert_allclose(tower.encode("cat"), axis(0), atol=1e-6)
    vector = tower.encode("a RED  shirt")
    assert (str(vector.dtype), vector.shape) == ("float32", (DIMENSIONS,))
    np.testing.assert_allclose(vector[:3], [0, 0.5**0.5, 0.5**0.5], atol=1e-3)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_a_text_of_as_many_tokens_as_the_tower_takes_and_one_more(model: Path) -> None:
    most = CONTEXT - 2
    words(model).encode(" ".join(["cat"] * most))
    with pytest.raises(InvalidRequest, match=rf"found {most + 1} tokens .* takes at most {most}; shorten"):
        words(model).encode(" ".join(["cat"] * (most + 1)))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x" * 2001, "found 2001 characters; at most 2000"),
        (" \u3000\t", "found no words"),
        ("cat<end_of_text>red", "marks of the model's own"),
        ("<Start_of_text>", "marks of the model's own"),
    ],
)
def test_what_is_refused(model: Path, text: str, sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        words(model).encode(text)


def test_a_model_without_a_text_tower() -> None:
    tower = words(EMBEDDED)
    assert not tower.available
    with pytest.raises(InvalidRequest, match="embedded/efficientnet_lite0-imagenet has no text tower"):
        tower.encode("cat")


@pytest.mark.parametrize("name", ["model.onnx", "model.onnx.data", "merges.txt"])
def test_a_damaged_file(model: Path, name: str) -> None:
    content = bytearray((model / "text" / name).read_bytes())
    content[len(content) // 2] ^= 1
    (model / "text" / name).write_bytes(content)
    with pytest.raises(ManifestError, match=f"{name} has the checksum .* export the model again"):
        words(model).encode("cat")


def test_a_damaged_tower_is_read_once_until_one_of_its_files_changes(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search by words would read hundreds of megabytes to say the same again."""
    path, verify, read = model / "text" / "merges.txt", TextManifest.verify, list[Path]()

    def verified(manifest: TextManifest, folder: Path, image_weights_sha256: str) -> None:
        read.append(folder)
        verify(manifest, folder, image_weights_sha256)

    monkeypatch.setattr(TextManifest, "verify", verified)
    good, tower = path.read_bytes(), words(model)
    path.write_bytes(good[:-1])
    for _ in range(3):
        with pytest.raises(ManifestError, match=r"merges\.txt has the checksum .* export the model again"):
            tower.encode("cat")
    assert len(read) == 1
    path.write_bytes(good)
    np.testing.assert_allclose(tower.encode("cat"), axis(0), atol=1e-6)
    assert len(read) == 2


def test_the_tower_of_another_model(model: Path) -> None:
    replace(Manifest.load(model), weights_sha256="0" * 64).save(model)
    with pytest.raises(ManifestError, match="belongs to another model"):
        words(model).encode("cat")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"context_length": 2}, "context_length is 2, expected 3 to 512"),
        ({"context_length": 77.0}, "context_length is 77.0, expected a whole number"),
        ({"padded": 1}, "padded is 1, expected true or false"),
        ({"unknown": 1}, "is no manifest of a text tower"),
    ],
)
def test_another_manifest(model: Path, change: dict[str, Any], sentence: str) -> None:
    path = model / "text" / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ManifestError, match=sentence):
        words(model).encode("cat")


def test_what_is_saved_is_loaded(model: Path, tmp_path: Path) -> None:
    manifest = TextManifest.load(model / "text")
    manifest.save(tmp_path)
    assert TextManifest.load(tmp_path) == manifest


WATCHED = """
import json, os, sys
opened = set()
sys.addaudithook(lambda name, given: opened.add(str(given[0])) if name == "open" else None)
import handler  # of lambda/
body = open(os.environ["BODY"]).read()
event = {"httpMethod": "POST", "resource": "/image-similarity", "headers": {}, "body": body,
         "isBase64Encoded": False, "requestContext": {"requestId": "r"}}
assert handler.handler(event, None)["statusCode"] == 200
mapped = {line.split()[-1] for line in open("/proc/self/maps") if "model" in line}
before = sorted(sys.modules)
if os.environ["SAY"]:
    from pathlib import Path
    from image_similarity.inference.manifest import Manifest
    from image_similarity.inference.text.words import Words
    folder = Path(os.environ["MODEL_DIR"])
    Words(folder, Manifest.load(folder), threads=1).encode(os.environ["SAY"])
    mapped |= {line.split()[-1] for line in open("/proc/self/maps") if "model" in line}
print(json.dumps([before, sorted(opened | mapped), sorted(set(sys.modules) - set(before))]))
"""


def watched(model: Path, say: str = "") -> tuple[list[str], list[str], list[str]]:
    """Of one answer of the API's function: modules and files (both without the model's own path), and the
    modules that a text adds."""
    environment = {
        "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda'}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PATH": "/usr/bin:/bin",
        "MODEL_DIR": str(model),
        "BODY": str(ROOT / "examples" / "data" / "pair.json"),
        "SAY": say,
    }
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    modules, files, added = json.loads(done.stdout.splitlines()[-1])
    named = (file for file in files if not file.isdigit() and "/proc/" not in file)
    return modules, sorted({file.replace(str(model), "MODEL") for file in named}), added


@pytest.mark.slow
def test_the_way_of_a_picture_is_the_same_with_and_without_a_text_tower(model: Path, tmp_path: Path) -> None:
    """No module, no file more; and this measure does see the text tower where a text comes."""
    plain = Path(shutil.copytree(EMBEDDED, tmp_path / "plain"))
    modules, files, _ = watched(plain)
    assert watched(model)[:2] == (modules, files)
    assert "MODEL/manifest.json" in files
    assert not {"ftfy", "regex", "image_similarity.inference.text"} & set(modules)
    _, with_text, added = watched(model, say="red shirt")
    assert {"ftfy", "regex", "image_similarity.inference.text.tower"} <= set(added)
    assert {"MODEL/text/merges.txt", "MODEL/text/model.onnx.data"} <= set(with_text) - set(files)
