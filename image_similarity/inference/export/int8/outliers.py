"""Outlier channels in float, all others in 8 bits, as in LLM.int8() (Dettmers et al., 2022)."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from image_similarity.inference.export.int8.products import Product, peaks, products, put, replace, tensors

OUTLIER = 6.0
"""Times the median channel. The paper takes 6.0 of activations that are about 1; towers differ in that."""


def kept_in_float(model: onnx.ModelProto, pictures: NDArray[np.uint8]) -> frozenset[str]:
    """Give the outlier channels of each product a product of their own; `model` is changed.

    Returns:
        The names of these products, which stay in float.
    """
    graph = model.graph
    all_products = list(products(graph))
    highest = peaks(model, {product.data for product in all_products}, pictures)
    names = set()
    for product in all_products:
        peak = highest[product.data]
        (channels,) = np.nonzero(peak > OUTLIER * np.median(peak))
        if len(channels):
            names.add(_split(graph, product, channels))
    return frozenset(names)


def _split(graph: onnx.GraphProto, product: Product, channels: NDArray[np.int64]) -> str:
    """Make X @ W of a product (X without channels) @ W + X[channels] @ W[channels]."""
    name = product.node.output[0]
    weights = numpy_helper.to_array(tensors(graph)[product.weights]).copy()
    outliers = put(graph, f"{name}_outlier_weights", weights[channels])
    weights[channels] = 0  # nothing multiplies them, and their column's scale may be finer
    mask = np.ones(len(weights), dtype=np.float32)
    mask[channels] = 0
    put(graph, f"{name}_rest_weights", weights)
    put(graph, f"{name}_mask", mask)
    put(graph, f"{name}_channels", channels)
    kept, rest = f"{name}_outliers", f"{name}_rest"
    added = [
        helper.make_node(
            "Gather", [product.data, f"{name}_channels"], [f"{kept}_data"], f"{kept}_data", axis=-1
        ),
        helper.make_node("MatMul", [f"{kept}_data", outliers], [kept], kept),
        helper.make_node("Mul", [product.data, f"{name}_mask"], [f"{rest}_data"], f"{rest}_data"),
        helper.make_node("MatMul", [f"{rest}_data", f"{name}_rest_weights"], [rest], rest),
        helper.make_node("Add", [rest, kept], [name], f"{name}_sum"),
    ]
    replace(graph, product.node, added)
    return kept
