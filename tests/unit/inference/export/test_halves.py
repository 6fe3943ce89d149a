import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from image_similarity.inference.export import halves
from image_similarity.inference.manifest import DIMENSIONS, HALVES, MODEL_FILE
from tests.support import halved_model

ROOT = Path(__file__).parents[4]
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


def branching() -> onnx.NodeProto:
    """The last step as a graph inside a node, which takes tensors that are no inputs of the node."""
    value = helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)
    inner = helper.make_node("Div", [f"x{halved_model.LAYERS}", "length"], ["inner"])
    branch = helper.make_graph([inner], "branch", [], [value])
    return helper.make_node("If", ["always"], ["embedding"], then_branch=branch, else_branch=branch)


@pytest.mark.parametrize(
    "last",
    [
        branching(),
        helper.make_node("Conv", [f"x{halved_model.LAYERS}", "length"], ["embedding"]),
        helper.make_node("ConvInteger", [f"x{halved_model.LAYERS}", "length"], ["embedding"]),
    ],
    ids=["a graph in a node", "convolution", "convolution of int8"],
)
def test_a_model_that_is_not_its_halves_stays_whole(tmp_path: Path, last: onnx.NodeProto) -> None:
    halved_model.save(halved_model.whole(last=last), tmp_path)
    assert halves.split((tmp_path / "model.onnx").read_bytes(), smallest=0) is None


def test_what_passes_is_of_32_bits(tmp_path: Path) -> None:
    model = onnx.load_model_from_string(stored(tmp_path))
    for node in model.graph.node:
        if node.op_type == "Cast":
            node.attribute[0].i = TensorProto.FLOAT16
    assert halves.split(model.SerializeToString(), smallest=0) is None


def test_onnx_runtime_computes_halves_as_it_computes_the_whole(tmp_path: Path) -> None:
    """The same operators after its rewrites, some of which need to know the rank of what passes."""
    halved_model.write(tmp_path / "model")
    whole, *parts = (operators(tmp_path / "model" / name) for name in (MODEL_FILE, *HALVES))
    assert whole["Gemm"] == halved_model.LAYERS
    assert sum(parts, Counter()) == whole


def operators(model: Path) -> Counter[str]:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # that such a file is for one kind of processor alone
    options.optimized_model_filepath = str(model.with_suffix(".optimised"))
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    optimised = onnx.load(options.optimized_model_filepath, load_external_data=False)
    return Counter(node.op_type for node in optimised.graph.node)


def test_the_same_model_has_the_same_halves(tmp_path: Path) -> None:
    """In other processes, too, whose sets have other orders."""
    stored(tmp_path)
    code = (
        "import hashlib, sys, pathlib\n"
        "from image_similarity.inference.export import halves\n"
        "parts = halves.split(pathlib.Path(sys.argv[1]).read_bytes(), smallest=0)\n"
        "print(hashlib.sha256(b''.join(parts)).hexdigest())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.onnx")]
    made = {
        subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            timeout=60,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(made) == 1
