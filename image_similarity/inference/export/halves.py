"""A model in two halves, which two cores load side by side."""

from collections.abc import Iterator

import onnx
from onnx import TensorProto, shape_inference
from onnx.utils import Extractor

SMALLEST = 32 * 1024**2
"""Bytes of weights below which a second session costs more than it saves."""
_LARGER_HALF = 0.75
"""The largest share of the weights that one half may have: with more, two cores hardly help."""


def split(model: bytes, smallest: int = SMALLEST) -> tuple[bytes, bytes] | None:
    """Both halves of a model whose weights lie in a separate file, which the halves share.

    Each has about half of the weights, and one float32 tensor passes from the first to the second.

    None where there are too few weights, where more than one tensor passes near the middle, where a node has
    a graph of its own, or where there are convolutions: ONNX Runtime changes their layout across the whole
    model, which moves the last bits.
    """
    whole = shape_inference.infer_shapes(onnx.load_model_from_string(model))
    total = sum(_bytes(weight) for weight in whole.graph.initializer)
    if total < smallest or not _divisible(whole.graph):
        return None
    larger = {name: max(before, total - before) for name, before in _cuts(whole.graph)}
    cut = min(larger, key=larger.__getitem__, default=None)
    if cut is None or larger[cut] > _LARGER_HALF * total:
        return None
    given, wanted = whole.graph.input[0].name, whole.graph.output[0].name
    extractor = Extractor(whole)
    halves = extractor.extract_model([given], [cut]), extractor.extract_model([cut], [wanted])
    for half in halves:
        del half.graph.value_info[:]
    first, second = (half.SerializeToString(deterministic=True) for half in halves)
    return first, second


def _divisible(graph: onnx.GraphProto) -> bool:
    nested = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
    return not graph.sparse_initializer and not any(
        "Conv" in node.op_type or any(attribute.type in nested for attribute in node.attribute)
        for node in graph.node
    )


def _cuts(graph: onnx.GraphProto) -> Iterator[tuple[str, int]]:
    """Each float32 tensor that all paths from input to output share, and the bytes of weights before it.

    What depends on weights alone, such as their casts to float32, belongs to the node that takes it.
    """
    sizes = {weight.name: _bytes(weight) for weight in graph.initializer}
    depends, steps = {graph.input[0].name}, []
    for node in graph.node:
        if depends.isdisjoint(node.input):
            sizes[node.output[0]] = sum(sizes.pop(name, 0) for name in node.input)
        else:
            depends |= set(node.output)
            steps.append(node)
    last = {name: number for number, node in enumerate(steps) for name in node.input}
    types = {value.name: value.type.tensor_type.elem_type for value in graph.value_info}
    before, live = 0, {graph.input[0].name}
    for number, node in enumerate(steps):
        before += sum(sizes.pop(name, 0) for name in node.input)
        live = {name for name in live | set(node.output) if last.get(name, -1) > number}
        if len(live) == 1 and types.get(only := next(iter(live))) == TensorProto.FLOAT:
            yield only, before


def _bytes(tensor: TensorProto) -> int:
    """What a tensor takes in the file of weights; 0 for one that stayed in the graph."""
    return next((int(entry.value) for entry in tensor.external_data if entry.key == "length"), 0)
