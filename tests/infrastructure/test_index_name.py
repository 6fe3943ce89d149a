"""The index's name: another one for whatever changes vectors, and one that S3 Vectors takes."""

import json
import re
from pathlib import Path

import pytest

from cdk_app import images
from cdk_app.catalogue import index_name as module
from cdk_app.catalogue.index_name import index_name
from cdk_app.config import defaults
from supply_chain.pins import Pins, Weights
from tests.cloudformation.providers.vectors import INDEX_NAME

NO_PINS = Pins({}, {})
PINNED = Pins({}, {"ViT-B-32/laion2b_s34b_b79k": Weights(None, "a.safetensors", None, "a" * 64)})
INT8_PINNED = Pins(
    {}, {"ViT-B-32/laion2b_s34b_b79k": Weights(None, "a.safetensors", None, "a" * 64, int8="smooth")}
)


def name(pins: Pins = NO_PINS, **flags: str) -> str:
    return index_name({**defaults(), **flags}, pins)


def test_so_does_the_preprocessing_beside_a_checkpoint(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "ROOT", tmp_path)
    names = {name(PINNED)}
    beside = tmp_path / "checkpoints" / "a.json"
    beside.parent.mkdir()
    for size in (224, 288):
        beside.write_text(json.dumps({"size": size}))
        names.add(name(PINNED))
    assert len(names) == 3


def test_each_of_what_changes_vectors_changes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        name(),
        name(model="ViT-B-16"),
        name(pretrained="openai"),
        name(precision="int8"),
        name(PINNED),
        name(PINNED, precision="int8"),
        name(INT8_PINNED, precision="int8"),
        name(model="embedded"),
    ]
    monkeypatch.setattr(module, "VECTORS", module.VECTORS + 1)
    names += [name(), name(model="embedded")]
    assert len(set(names)) == len(names)


def test_the_embedded_models_name_is_that_of_its_artifact(monkeypatch: pytest.MonkeyPatch) -> None:
    before = name(model="embedded")
    assert name(model="embedded", pretrained="whatever") == before
    for changed in ("sha256", "weights_sha256", "preprocessing"):
        manifest = {**images.embedded_manifest(), changed: "another"}
        with monkeypatch.context() as patch:
            patch.setattr(images, "embedded_manifest", lambda manifest=manifest: manifest)
            assert name(model="embedded") != before


def test_nothing_else_changes_it() -> None:
    others: dict[str, str] = {
        "architecture": "arm64",
        "accelerator": "gpu",
        "images": "lambda",
        "stage": "v2",
        "image_buckets": "a",
    }
    assert index_name({**defaults(), **others}, NO_PINS) == name()


@pytest.mark.parametrize(
    "model", ["ViT-B-32", "ViT-B-32-quickgelu", "a" * 100, "xlm_roberta.base-ViT--B", "A_" * 50]
)
def test_it_is_one_that_s3_vectors_takes(model: str) -> None:
    made = name(model=model)
    assert INDEX_NAME.fullmatch(made)
    assert re.search(r"-[0-9a-f]{8}$", made)
