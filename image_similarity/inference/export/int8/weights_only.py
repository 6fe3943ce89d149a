"""Weights in 8 bits, products in float: a cast and a scale, which the session computes once, on loading."""

from collections.abc import Collection

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from image_similarity.inference.export.int8.products import put, tensors

_STEPS = 127
_SMALL = 1024  # as in graph.py


_CHANNELS = {"Conv": 0, "MatMul": 1}  # the axis of the output channels


def weights_only(graph: onnx.GraphProto, operators: Collection[str]) -> None:
    """Store the weights of some operators (Conv, MatMul) as int8, with a scale for each output channel."""
    axes = {node.input[1]: _CHANNELS[node.op_type] for node in graph.node if node.op_type in operators}
    restored = []
    for name, tensor in tensors(graph).items():
        axis = axes.get(name)
        if axis is None or tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALL:
            continue
        values, scales = _rounded(numpy_helper.to_array(tensor), axis)
        graph.initializer.remove(tensor)
        put(graph, f"{name}_int8", values)
        put(graph, f"{name}_scales", scales)
        restored += [
            helper.make_node(
                "Cast", [f"{name}_int8"], [f"{name}_cast"], f"{name}_cast", to=TensorProto.FLOAT
            ),
            helper.make_node("Mul", [f"{name}_cast", f"{name}_scales"], [name], f"{name}_restored"),
        ]
    for position, node in enumerate(restored):
        graph.node.insert(position, node)


def _rounded(weights: NDArray[np.float32], axis: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    others = tuple(dimension for dimension in range(weights.ndim) if dimension != axis)
    highest = np.abs(weights).max(axis=others, keepdims=True)
    scales = (np.where(highest > 0, highest, 1) / _STEPS).astype(np.float32)
    return np.round(weights / scales).astype(np.int8), scales
