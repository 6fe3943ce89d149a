"""The products of a graph whose weights are constants, and what their inputs are on real pictures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper


@dataclass(frozen=True)
class Product:
    """A MatMul by a matrix of weights [inputs, outputs].

    data, weights: the names of its two inputs.
    """

    node: onnx.NodeProto
    data: str
    weights: str


def products(graph: onnx.GraphProto) -> Iterator[Product]:
    """Every product by a constant matrix."""
    matrices = {tensor.name for tensor in graph.initializer if len(tensor.dims) == 2}
    for node in graph.node:
        if node.op_type == "MatMul" and node.input[1] in matrices:
            yield Product(node, node.input[0], node.input[1])


def tensors(graph: onnx.GraphProto) -> dict[str, onnx.TensorProto]:
    """The constants by name."""
    return {tensor.name: tensor for tensor in graph.initializer}


def put(graph: onnx.GraphProto, name: str, values: NDArray[np.generic]) -> str:
    """Add a constant, or give it other values."""
    known = tensors(graph).get(name)
    tensor = known if known is not None else graph.initializer.add()
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), name))
    return name


def replace(graph: onnx.GraphProto, node: onnx.NodeProto, others: Sequence[onnx.NodeProto]) -> None:
    """Put others in a node's place."""
    position = list(graph.node).index(node)
    del graph.node[position]
    for offset, other in enumerate(others):
        graph.node.insert(position + offset, other)


def drop_unused(graph: onnx.GraphProto) -> None:
    """Remove the constants that no node has as input any more."""
    used = {name for node in graph.node for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def split_gemms(graph: onnx.GraphProto) -> None:
    """Turn each Gemm by constants into a MatMul and an Add, so that there is one kind of product."""
    constants = tensors(graph)
    for node in list(graph.node):
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        if node.op_type != "Gemm" or node.input[1] not in constants or attributes.get("transA"):
            continue
        if attributes.get("alpha", 1.0) != 1.0 or attributes.get("beta", 1.0) != 1.0:
            continue
        matrix = numpy_helper.to_array(constants[node.input[1]])
        weights = put(graph, f"{node.output[0]}_weights", matrix.T if attributes.get("transB") else matrix)
        name = node.output[0]
        product = f"{name}_product" if len(node.input) == 3 else name
        made = [helper.make_node("MatMul", [node.input[0], weights], [product], product)]
        if len(node.input) == 3:
            made.append(helper.make_node("Add", [product, node.input[2]], [name], f"{name}_sum"))
        replace(graph, node, made)


def peaks(
    model: onnx.ModelProto, names: set[str], pictures: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """The largest magnitude of each channel (the last axis) of some values, over all pictures.

    Args:
        model: float32.
        names: of values inside the graph.
        pictures: uint8 [n, S, S, 3].
    """
    probed = onnx.ModelProto()
    probed.CopyFrom(model)
    if not names:
        return {}
    inside = sorted(names)
    probed.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in inside)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # all names stay
    session = onnxruntime.InferenceSession(
        probed.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    highest: dict[str, NDArray[np.float32]] = {}
    for picture in pictures:
        for name, values in zip(inside, session.run(inside, {"image": picture[None]}), strict=True):
            peak = np.abs(values).reshape(-1, values.shape[-1]).max(axis=0)
            highest[name] = np.maximum(highest[name], peak) if name in highest else peak
    return highest
