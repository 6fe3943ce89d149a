"""Ways to make a model's products in 8 bits, the fastest first; export/ takes the first that is exact enough.

Trained transformers have a few channels with values many times those of the rest, and one scale for all of
them leaves the rest a few of the 255 steps: Dettmers et al., LLM.int8() (2022), Bondarenko et al.,
Understanding and Overcoming the Challenges of Efficient Transformer Quantization (2021).
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic

from image_similarity.inference.export.int8.outliers import kept_in_float
from image_similarity.inference.export.int8.products import drop_unused, split_gemms
from image_similarity.inference.export.int8.smooth import smoothed
from image_similarity.inference.export.int8.weights_only import weights_only

Pictures = NDArray[np.uint8]
Quantize = Callable[[onnx.ModelProto, Pictures], onnx.ModelProto | None]


def _dynamic(model: onnx.ModelProto, _: Pictures) -> onnx.ModelProto:
    """Weights by output channel; activations by one scale, which each product computes anew."""
    return _quantized(model, frozenset())


def _outliers(model: onnx.ModelProto, pictures: Pictures) -> onnx.ModelProto | None:
    """The same, but products of outlier channels stay in float."""
    if not (exact := kept_in_float(model, pictures)):
        return None
    return _quantized(model, exact)


def _smooth(model: onnx.ModelProto, pictures: Pictures) -> onnx.ModelProto | None:
    """The same, after part of the channels' scales has moved from layer norms into the weights behind."""
    return _quantized(model, frozenset()) if smoothed(model, pictures) else None


def _weights(model: onnx.ModelProto, _: Pictures) -> onnx.ModelProto:
    """Weights alone: half the file of 16 bits, and the speed of float."""
    weights_only(model.graph, ("Conv", "MatMul"))
    return model


_SCHEMES: dict[str, Quantize] = {
    "dynamic": _dynamic,
    "outliers": _outliers,
    "smooth": _smooth,
    "weights": _weights,
}
SCHEMES = tuple(_SCHEMES)


def quantized(model: onnx.ModelProto, scheme: str, pictures: Pictures) -> onnx.ModelProto | None:
    """A model's int8 twin.

    Args:
        model: float32; it stays as it is.
        scheme: one of SCHEMES.
        pictures: uint8 [n, S, S, 3], which show what values its channels have.

    Returns:
        The twin; None where the scheme finds nothing to change, and so would be an earlier one again.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    split_gemms(copy.graph)
    made = _SCHEMES[scheme](copy, pictures)
    if made is not None:
        drop_unused(made.graph)
    return made


def _quantized(model: onnx.ModelProto, exact: frozenset[str]) -> onnx.ModelProto:
    """All products but those named, and the weights of convolutions.

    A convolution in 8 bits whose scale is only known at run time (ConvInteger) takes ONNX Runtime many times
    as long as one in float, and is less exact: cosine 0.39 for `embedded`.
    """
    with TemporaryDirectory() as directory:
        output = Path(directory) / "int8.onnx"
        # reduce_range: otherwise products saturate on processors with AVX2 but no VNNI, and vectors are wrong
        quantize_dynamic(
            model,
            output,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=sorted(exact),
        )
        made = onnx.load(str(output))
    weights_only(made.graph, ("Conv",))
    return made
