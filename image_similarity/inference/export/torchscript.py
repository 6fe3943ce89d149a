"""Image encoders in TorchScript: one file holds architecture and weights, and no code of ours knows it.

Such a file does not say how pictures are prepared: a JSON file does, in `encoders/` for those that come along
(named after the model) or beside a checkpoint of your own. SSCD's is the `skew_320` of its README:
https://github.com/facebookresearch/sscd-copy-detection
"""

import io
import json
import operator
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.export.checkpoint import ExportError, Loaded, numbers
from image_similarity.inference.manifest import DIMENSIONS, Preprocessing

ENCODERS = Path(__file__).with_name("encoders")
OPSET = 20
_EPSILON = 1e-12  # as in tower.py
_BATCH = 3  # pictures, other than the two of the trace
_DIFFERENCE = 1e-5  # of a component, between a picture alone and in a batch: orders of summation differ


def names() -> list[str]:
    """The encoders whose preprocessing comes along."""
    return sorted(file.stem for file in ENCODERS.glob("*.json"))


def is_archive(file: Path) -> bool:
    """Whether a checkpoint is TorchScript: a ZIP file that holds code beside its tensors."""
    if not zipfile.is_zipfile(file):
        return False
    with zipfile.ZipFile(file) as archive:
        return any("/code/" in name for name in archive.namelist())


def load(model: str, pretrained: str | None, file: Path | None, settings: Mapping[str, Any] | None) -> Loaded:
    """Load an encoder from a TorchScript file.

    Args:
        model: its name, the first part of X-Model.
        pretrained: the name of its weights, the second part.
        file: written by torch.jit.save; float32 [n, 3, S, S], normalised, to float32 [n, 512].
        settings: size, mean, std, interpolation and resize_mode, for an encoder that does not come along.

    Raises:
        ExportError: the file, its preprocessing or a name is missing, or it does not give 512 dimensions.
    """
    if file is None:
        raise ExportError(
            f"{model} is a TorchScript file: give --checkpoint FILE, which "
            "`python -m supply_chain.weights --model ... --pretrained ...` fetches"
        )
    if pretrained is None:
        raise ExportError("--pretrained is missing: the name of the weights, the second part of X-Model")
    preprocessing = _preprocessing(model, settings)
    try:
        visual = torch.jit.load(str(file), map_location="cpu").eval()
        with torch.inference_mode():
            output = visual(torch.zeros(1, 3, preprocessing.size, preprocessing.size))
    except (RuntimeError, torch.jit.Error) as error:
        raise ExportError(f"{file} is no image encoder in TorchScript: {why(error)}") from error
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    if shape != (1, DIMENSIONS):
        raise ExportError(f"{model} gives {shape} for one picture, but the API needs (1, {DIMENSIONS})")
    if output.dtype != torch.float32:
        raise ExportError(f"{model} gives numbers of {output.dtype}, but the API needs torch.float32")
    return Loaded(model, pretrained, visual, preprocessing)


def _preprocessing(model: str, settings: Mapping[str, Any] | None) -> Preprocessing:
    bundled = ENCODERS / f"{model}.json"
    if settings is None and bundled.is_file():
        settings = json.loads(bundled.read_text(encoding="utf-8"))
    if settings is None:
        raise ExportError(
            f"{model} is a TorchScript file, so nothing tells how its pictures are prepared: give "
            "--preprocessing FILE.json with size, mean, std, interpolation and resize_mode"
        )
    try:
        return Preprocessing(
            size=operator.index(settings["size"]),
            interpolation=settings["interpolation"],
            resize_mode=settings["resize_mode"],
            mean=numbers(settings["mean"]),
            std=numbers(settings["std"]),
        )
    except (KeyError, TypeError) as error:
        raise ExportError(f"the preprocessing of {model} is incomplete: {error}") from error


class _Tower(nn.Module):
    """What ImageTower is for open_clip's, in the part of Python that TorchScript can hold."""

    def __init__(self, visual: Any, preprocessing: Preprocessing) -> None:  # noqa: ANN401
        super().__init__()
        self.visual = visual
        self.epsilon = _EPSILON
        self.register_buffer("offset", 255.0 * torch.tensor(preprocessing.mean))
        self.register_buffer("scale", 1.0 / (255.0 * torch.tensor(preprocessing.std)))

    def forward(self, image: Tensor) -> Tensor:
        """Pictures uint8 [n, S, S, 3] to unit vectors float32 [n, dimensions]."""
        normalised = (image.to(torch.float32) - self.offset) * self.scale
        vector = self.visual(normalised.permute(0, 3, 1, 2))
        return vector / vector.norm(2.0, dim=-1, keepdim=True).clamp_min(self.epsilon)


def tower(loaded: Loaded) -> Any:  # noqa: ANN401 (torch is untyped where it is not installed)
    """The encoder as it is exported: uint8 NHWC in, unit vectors out."""
    return torch.jit.script(_Tower(loaded.visual, loaded.preprocessing)).eval()


def is_script(module: object) -> bool:
    """Whether a module is TorchScript."""
    return isinstance(module, torch.jit.ScriptModule)


def to_onnx(script: Any, size: int) -> bytes:  # noqa: ANN401
    """An ONNX model of a tower, by the exporter that reads TorchScript; torch.export can't."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own deprecations: its version is pinned
        try:
            torch.onnx.export(
                script,
                (torch.zeros(2, size, size, 3, dtype=torch.uint8),),
                buffer,
                input_names=["image"],
                output_names=["embedding"],
                dynamic_axes={"image": {0: "n"}, "embedding": {0: "n"}},
                opset_version=OPSET,
                dynamo=False,
            )
        except (RuntimeError, torch.jit.Error) as error:
            raise ExportError(f"the file can't become an ONNX model: {why(error)}") from error
    return buffer.getvalue()


def why(error: Exception) -> str:
    """What torch says, without the script's own stack, which comes before what a script raises."""
    return str(error).strip().splitlines()[-1] if isinstance(error, torch.jit.Error) else str(error)


def require_any_batch(encoder: OnnxEncoder) -> None:
    """Raise ExportError where a picture's vector depends on how many are encoded with it.

    A file made by tracing may hold the batch of its trace as a constant.
    """
    size = encoder.manifest.preprocessing.size
    batch = np.random.default_rng(0).integers(0, 256, (_BATCH, size, size, 3), dtype=np.uint8)
    single = np.concatenate([encoder.encode(picture[None]) for picture in batch])
    try:
        together = encoder.encode(batch)
    except Exception as error:  # ONNX Runtime has no common base class for its own errors
        raise ExportError(f"the file can't encode {_BATCH} pictures at once: {error}") from error
    if together.shape != single.shape or np.abs(together - single).max() > _DIFFERENCE:
        raise ExportError(
            f"a picture alone and one of {_BATCH} have different vectors: trace it with dynamic batch"
        )
