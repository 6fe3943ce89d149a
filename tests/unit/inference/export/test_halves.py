from pathlib import Path

import onnx
import pytest

from image_similarity.inference.export import halves
from image_similarity.inference.manifest import DIMENSIONS
from tests.support import halved_model

ONE_LAYER = 2 * DIMENSIONS**2
"""Bytes of its weights."""


def stored(folder: Path, *, linked: bool = False) -> bytes:
    halved_model.save(halved_model.whole(linked=linked), folder)
    return (folder / "model.onnx").read_bytes()


def layers(model: bytes) -> set[str]:
    names = {weight.name for weight in onnx.load_model_from_string(model).graph.initializer}
    return {name for name in names if name.endswith("_half")}


def test_each_half_has_half_of_the_weights(tmp_path: Path) -> None:
    parts = halves.split(stored(tmp_path), smallest=0)
    assert parts is not None
    assert [layers(part) for part in parts] == [{"w0_half", "w1_half"}, {"w2_half", "w3_half"}]


def test_the_first_gives_what_the_second_takes(tmp_path: Path) -> None:
    parts = halves.split(stored(tmp_path), smallest=0)
    assert parts is not None
    first, second = (onnx.load_model_from_string(part).graph for part in parts)
    assert [first.input[0].name, first.output[0].name] == ["image", second.input[0].name]
    assert second.output[0].name == "embedding"


def test_a_small_model_stays_whole(tmp_path: Path) -> None:
    model = stored(tmp_path)
    size = (tmp_path / "model.onnx.data").stat().st_size
    assert size < halves.SMALLEST
    assert halves.split(model) is None
    assert halves.split(model, smallest=halved_model.LAYERS * ONE_LAYER) is not None


def test_a_model_whose_first_layer_leads_everywhere_stays_whole(tmp_path: Path) -> None:
    assert halves.split(stored(tmp_path, linked=True), smallest=0) is None


@pytest.mark.parametrize("linked", [False, True])
def test_the_same_model_has_the_same_halves(tmp_path: Path, linked: bool) -> None:
    model = stored(tmp_path, linked=linked)
    assert halves.split(model, smallest=0) == halves.split(model, smallest=0)
