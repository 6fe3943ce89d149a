"""A model of a few layers whose artifact has halves, as the exporter gives large ones."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import xxhash
from onnx import TensorProto, helper, numpy_helper

from image_similarity.inference.export import halves
from image_similarity.inference.loading import DEFAULT_MODEL_DIR as EMBEDDED
from image_similarity.inference.manifest import DIMENSIONS, HALVES, MODEL_FILE, WEIGHTS_FILE, Manifest

LAYERS = 4
NORMALISED = helper.make_node("Div", [f"x{LAYERS}", "length"], ["embedding"])


def write(folder: Path) -> Manifest:
    """An artifact that takes the bundled model's pictures."""
    folder.mkdir()
    save(whole(), folder)
    model, weights = ((folder / name).read_bytes() for name in (MODEL_FILE, WEIGHTS_FILE))
    parts = halves.split(model, smallest=0)
    assert parts
    for name, content in zip(HALVES, parts, strict=True):
        (folder / name).write_bytes(content)
    manifest = replace(
        Manifest.load(EMBEDDED),
        sha256=hashlib.sha256(model).hexdigest(),
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        weights_xxh3=xxhash.xxh3_128_hexdigest(weights),
        halves={
            name: hashlib.sha256(content).hexdigest() for name, content in zip(HALVES, parts, strict=True)
        },
    )
    manifest.save(folder)
    return manifest


def save(model: onnx.ModelProto, folder: Path) -> None:
    """With the weights in a file of their own."""
    onnx.save_model(model, str(folder / MODEL_FILE), save_as_external_data=True, location=WEIGHTS_FILE)


def whole(*, linked: bool = False, last: onnx.NodeProto = NORMALISED) -> onnx.ModelProto:
    """Colours of a picture through some products, each added to what came before; float16 as it is stored.

    `linked`: the first layer's output is added to every later one's instead.
    `last`: makes the model's output of the last layer's.
    """
    random = np.random.default_rng(0)
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "sides"], ["colour"], keepdims=0),
        helper.make_node("MatMul", ["colour", "w"], ["x0"]),
    ]
    weights = [
        numpy_helper.from_array(np.array([1, 2], dtype=np.int64), "sides"),
        numpy_helper.from_array(np.array([1], dtype=np.int64), "last"),
        numpy_helper.from_array(random.standard_normal(DIMENSIONS, dtype=np.float32), "bias"),
        numpy_helper.from_array(random.standard_normal((3, DIMENSIONS), dtype=np.float32), "w"),
    ]
    for layer in range(LAYERS):
        stored = random.standard_normal((DIMENSIONS, DIMENSIONS), dtype=np.float32).astype(np.float16)
        weights.append(numpy_helper.from_array(stored, f"w{layer}_half"))
        nodes.insert(0, helper.make_node("Cast", [f"w{layer}_half"], [f"w{layer}"], to=TensorProto.FLOAT))
        nodes += [
            helper.make_node("MatMul", [f"x{layer}", f"w{layer}"], [f"product{layer}"]),
            helper.make_node("Add", [f"product{layer}", "bias"], [f"sum{layer}"]),
            helper.make_node("Gelu", [f"sum{layer}"], [f"bent{layer}"]),
            helper.make_node("Add", ["x0" if linked else f"x{layer}", f"bent{layer}"], [f"x{layer + 1}"]),
        ]
    nodes += [
        helper.make_node("ReduceL2", [f"x{LAYERS}", "last"], ["length"], keepdims=1),
        last,
    ]
    size = Manifest.load(EMBEDDED).preprocessing.size
    image = helper.make_tensor_value_info("image", TensorProto.UINT8, ["n", size, size, 3])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", DIMENSIONS])
    graph = helper.make_graph(nodes, "test", [image], [embedding], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
