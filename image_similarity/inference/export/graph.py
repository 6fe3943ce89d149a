"""From a torch module to the bytes of model.onnx."""

import io
import logging
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from image_similarity.inference.export import torchscript
from image_similarity.inference.manifest import WEIGHTS_FILE

OPSET = torchscript.OPSET  # the highest that its exporter knows
_SMALL = 1024  # smaller tensors stay float32: they save nothing, and biases keep their precision
_ALIGNMENT = 64  # bytes: a cache line, and more than any vector load needs
_HALF_LIMIT = float(np.finfo(np.float16).max)


def simplified(tower: nn.Module, size: int) -> onnx.ModelProto:
    """The float32 model of a tower: "image" uint8 [n, size, size, 3] to "embedding" [n, d]."""
    with TemporaryDirectory() as directory:
        file = Path(directory) / "plain.onnx"
        scripted = torchscript.is_script(tower)
        simplify(torchscript.to_onnx(tower, size) if scripted else _trace(tower, size), file)
        return onnx.load(str(file))


def finished(model: onnx.ModelProto, name: str) -> tuple[bytes, bytes]:
    """The bytes of a model that was traced and simplified, and of its weights; large ones become float16.

    Weights have a file of their own, because the session maps it into memory; inside the model they would be
    copied on loading (ViT-B/32: 140 MB and 0.2 s more). `model` is changed.
    """
    _store_half(model.graph)
    _anonymous(model, name)
    onnx.checker.check_model(model)
    weights = _move_weights(model.graph)
    return model.SerializeToString(deterministic=True), weights


def _trace(tower: nn.Module, size: int) -> bytes:
    example = torch.zeros(2, size, size, 3, dtype=torch.uint8)
    return traced(tower, example, "image", {0: torch.export.Dim("n", min=1, max=64)})


def traced(tower: nn.Module, example: torch.Tensor, name: str, dynamic: dict[int, Any]) -> bytes:
    """The ONNX model of a module that makes "embedding" of one input, whose axes in `dynamic` may vary."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings inside torch's own exporter
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            tower.eval(),
            (example,),
            input_names=[name],
            output_names=["embedding"],
            dynamic_shapes=(dynamic,),
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    buffer = io.BytesIO()
    program.save(buffer)
    return buffer.getvalue()


def simplify(model: bytes, output: Path) -> None:
    """ONNX Runtime's basic rewrites (constants, batch norm into convolutions), safe on any machine."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(output)
    onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _store_half(graph: onnx.GraphProto) -> None:
    """Replace large float32 weights by float16 ones and a cast, which the session folds on loading."""
    casts = []
    for weight in graph.initializer:
        if weight.data_type != TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(weight)
        if values.size < _SMALL or np.abs(values).max() > _HALF_LIMIT:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(
            helper.make_node("Cast", [weight.name], [name], name=f"{name}_cast", to=TensorProto.FLOAT)
        )
    for position, node in enumerate(casts):
        graph.node.insert(position, node)


def _move_weights(graph: onnx.GraphProto) -> bytes:
    """Move the large tensors out of the graph, which keeps their place in the file of weights."""
    weights = bytearray()
    for tensor in graph.initializer:
        if len(tensor.raw_data) < _SMALL:
            continue
        weights.extend(bytes(-len(weights) % _ALIGNMENT))
        place = {"location": WEIGHTS_FILE, "offset": len(weights), "length": len(tensor.raw_data)}
        weights.extend(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in place.items():
            tensor.external_data.add(key=key, value=str(value))
    return bytes(weights)


def _anonymous(model: onnx.ModelProto, name: str) -> None:
    """Drop what tracing leaves in the file: source lines, paths, shapes, unused operator sets."""
    domains = {node.domain for node in model.graph.node}
    used = [entry for entry in model.opset_import if entry.domain in domains]
    del model.opset_import[:]
    model.opset_import.extend(used)
    model.doc_string = ""
    model.graph.name = name
    model.graph.doc_string = ""
    for holder in (model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.input):
        del holder.metadata_props[:]
    for node in model.graph.node:
        node.doc_string = ""
    del model.graph.value_info[:]
