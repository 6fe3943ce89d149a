"""Scales moved from layer norms into the weights behind: SmoothQuant (Xiao et al., 2022), alpha = 0.5."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from image_similarity.inference.export.int8.products import peaks, put, tensors

Consumers = Mapping[str, list[onnx.NodeProto]]
Constants = Mapping[str, NDArray[np.float32]]
_ALONG_TOKENS = {"Slice", "Gather", "Squeeze"}  # leave the channels what they are
_SMALLEST = 1e-6


def smoothed(model: onnx.ModelProto, pictures: NDArray[np.uint8]) -> bool:
    """Divide a norm's output by a scale for each channel, and multiply the weights by it; `model` is changed.

    The scales are powers of two: the float model stays the same to the last bit, and a machine whose
    activations differ in theirs makes the same artifact.

    Returns:
        Whether there was a layer norm with nothing but products behind it.
    """
    graph = model.graph
    consumers = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            consumers[name].append(node)
    constants = {name: numpy_helper.to_array(tensor) for name, tensor in tensors(graph).items()}
    norms = [
        (node, behind)
        for node in graph.node
        if node.op_type == "LayerNormalization" and (behind := _behind(node.output[0], consumers, constants))
    ]
    highest = peaks(model, {norm.output[0] for norm, _ in norms}, pictures)
    for norm, behind in norms:
        _move(graph, norm, behind, constants, highest[norm.output[0]])
    return bool(norms)


def _behind(name: str, consumers: Consumers, constants: Constants) -> list[onnx.NodeProto]:
    """The products that a value goes into; none where something else uses it too."""
    behind = []
    for node in consumers[name]:
        if node.op_type == "MatMul" and node.input[0] == name and node.input[1] in constants:
            behind.append(node)
        elif node.op_type in _ALONG_TOKENS and node.input[0] == name:
            further = _behind(node.output[0], consumers, constants)
            if not further:
                return []
            behind += further
        else:
            return []
    return behind


def _move(
    graph: onnx.GraphProto,
    norm: onnx.NodeProto,
    behind: list[onnx.NodeProto],
    constants: Constants,
    peak: NDArray[np.float32],
) -> None:
    rows = np.max([np.abs(constants[product.input[1]]).max(axis=1) for product in behind], axis=0)
    exponents = np.log2(np.maximum(peak, _SMALLEST) / np.maximum(rows, _SMALLEST)) / 2
    scales = np.exp2(np.round(exponents - np.median(exponents))).astype(np.float32)
    # Under names of their own: an exporter makes one constant of equal ones.
    for position in range(1, len(norm.input)):
        values = constants[norm.input[position]] / scales
        norm.input[position] = put(graph, f"{norm.output[0]}_smooth_{position}", values)
    for product in behind:
        values = constants[product.input[1]] * scales[:, None]
        product.input[1] = put(graph, f"{product.output[0]}_smooth", values)
