"""A model in two halves, which two cores load side by side."""

from collections.abc import Iterator

import onnx
from onnx import TensorProto, helper
from onnx.utils import Extractor

SMALLEST = 32 * 1024**2
"""Bytes of weights below which a second session costs more than it saves."""
_LARGER_HALF = 0.75
"""The most that one may have of the weights: with more, two cores are hardly faster than one."""


def split(model: bytes, smallest: int = SMALLEST) -> tuple[bytes, bytes] | None:
    """Both halves of a model whose weights lie in a file of their own, which both use.

    Each has about half of the weights, and one tensor float32 passes from the first to the second. None
    where there are too few weights, or where more than one tensor passes near the middle.
    """
    whole = onnx.load_model_from_string(model)
    total = sum(_bytes(weight) for weight in whole.graph.initializer)
    if total < smallest:
        return None
    larger = {name: max(before, total - before) for name, before in _cuts(whole.graph)}
    cut = min(larger, key=larger.__getitem__, default=None)
    if cut is None or larger[cut] > _LARGER_HALF * total:
        return None
    whole.graph.value_info.append(helper.make_tensor_value_info(cut, TensorProto.FLOAT, None))
    given, wanted = whole.graph.input[0].name, whole.graph.output[0].name
    extractor = Extractor(whole)
    first = extractor.extract_model([given], [cut])
    second = extractor.extract_model([cut], [wanted])
    return first.SerializeToString(deterministic=True), second.SerializeToString(deterministic=True)


def _cuts(graph: onnx.GraphProto) -> Iterator[tuple[str, int]]:
    """Each tensor that alone leads from the input to the output, with the bytes of weights before it.

    What depends on weights alone, as their casts to float32, belongs to the node that takes it.
    """
    weights = {weight.name: _bytes(weight) for weight in graph.initializer}
    made: dict[str, int] = {}
    steps = []
    depends = {graph.input[0].name}
    for node in graph.node:
        if depends.isdisjoint(node.input):
            made |= dict.fromkeys(node.output, sum(weights.get(name, 0) for name in node.input))
        else:
            depends |= set(node.output)
            steps.append(node)
    last = {name: number for number, node in enumerate(steps) for name in node.input}
    before, live = 0, {graph.input[0].name}
    sizes = weights | made
    for number, node in enumerate(steps):
        before += sum(sizes.pop(name, 0) for name in node.input)
        live = {name for name in live | set(node.output) if last.get(name, -1) > number}
        if len(live) == 1:
            yield next(iter(live)), before


def _bytes(tensor: TensorProto) -> int:
    """What a tensor takes in the file of weights; 0 for one that stayed in the graph."""
    return next((int(entry.value) for entry in tensor.external_data if entry.key == "length"), 0)
