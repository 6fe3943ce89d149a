"""Where weights and their preprocessing come from: open_clip's registry, a local file, or `embedded`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from image_similarity.inference.export.torchvision_shim import import_torchvision

import_torchvision()

import open_clip  # noqa: E402 (it imports torchvision)
from open_clip.pretrained import download_pretrained  # noqa: E402

from image_similarity.inference.export import embedded, text_tower  # noqa: E402
from image_similarity.inference.manifest import DIMENSIONS, Preprocessing  # noqa: E402

RANDOM = "random"  # seeded random weights, only for measuring time, memory and size
_RANDOM_SETTINGS = {
    "mean": open_clip.OPENAI_DATASET_MEAN,
    "std": open_clip.OPENAI_DATASET_STD,
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


class ExportError(Exception):
    """The artifact can't be made; the message says why, and what to do."""


def numbers(values: Iterable[float]) -> tuple[float, ...]:
    """Those of a preprocessing's field; raises TypeError for anything else."""
    listed = tuple(values)
    if not all(isinstance(value, int | float) for value in listed):
        raise TypeError(f"{listed} are not numbers")
    return listed


@dataclass(frozen=True)
class Loaded:
    """An open_clip image tower in evaluation mode, with its name and preprocessing.

    clip is the whole model, whose text tower belongs to the image tower; None where it is not to be used.
    """

    model: str
    pretrained: str
    visual: Any
    preprocessing: Preprocessing
    clip: Any = None


def load(
    model: str,
    pretrained: str | None = None,
    checkpoint: Path | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Loaded:
    """Load the tower of `model`, with the weights of a tag, of a local file, or the embedded ones.

    Args:
        model: an open_clip model name, or "embedded".
        pretrained: an open_clip tag; with `checkpoint`, the tag that the file is, or a label of your own.
        checkpoint: a local file in place of a download (.safetensors, or a pickle, read with weights_only).
        settings: mean, std, interpolation and resize_mode, where the label is not a tag of open_clip.

    Raises:
        ExportError: a name or the preprocessing is unknown, the weights do not fit, or the width is not 512.
    """
    if model == embedded.NAME:
        open_clip.add_model_config(embedded.CONFIG)
        clip = open_clip.create_model(model)
        embedded.load_into(clip)
        return _loaded(model, embedded.PRETRAINED, clip, embedded.PREPROCESSING)
    if model not in open_clip.list_models():
        raise ExportError(f"open_clip {open_clip.__version__} has no model {model!r}")
    if hub := text_tower.hub(model):
        raise ExportError(
            f"{model} has a text tower of a model hub ({hub}), which open_clip can't build without the "
            "package transformers and its downloads: take a model whose text tower is open_clip's own"
        )
    tags = ", ".join(open_clip.list_pretrained_tags_by_model(model)) or "none"
    if pretrained is None:
        raise ExportError(f"--pretrained is missing: the tags of {model} are {tags}")
    tag: dict[str, Any] = open_clip.get_pretrained_cfg(model, pretrained) or {}
    if settings is None:
        settings = _RANDOM_SETTINGS if pretrained == RANDOM else tag
    if not settings:
        raise ExportError(
            f"{pretrained!r} is no open_clip tag of {model} ({tags}), so nothing tells how its pictures are "
            "prepared: give --preprocessing FILE.json with mean, std, interpolation and resize_mode"
        )
    if not tag and checkpoint is None and pretrained != RANDOM:
        raise ExportError(f"{pretrained!r} is no tag of {model}: take one of {tags}, or --checkpoint FILE")
    clip = _clip(model, pretrained, checkpoint, tag)
    return replace(_loaded(model, pretrained, clip, settings), clip=clip.eval())


def _clip(model: str, pretrained: str, checkpoint: Path | None, tag: dict[str, Any]) -> Any:  # noqa: ANN401
    quick_gelu = bool(tag.get("quick_gelu"))  # the activation belongs to the weights, not to the architecture
    if tag and not quick_gelu and open_clip.get_model_config(model).get("quick_gelu"):
        raise ExportError(f"{pretrained} was not trained with QuickGELU: take {model} without -quickgelu")
    torch.manual_seed(0)
    clip = open_clip.create_model(model, force_quick_gelu=quick_gelu, pretrained_text=False)
    if pretrained == RANDOM:
        text_tower.tell_tokens_apart(clip)
        return clip
    path = checkpoint or Path(download_pretrained(tag))
    try:
        open_clip.load_checkpoint(clip, str(path))
    except (OSError, RuntimeError, ValueError, KeyError, UnpicklingError) as error:
        raise ExportError(f"{path} does not hold weights of {model}: {error}") from error
    return clip


def _loaded(model: str, pretrained: str, clip: Any, settings: Mapping[str, Any]) -> Loaded:  # noqa: ANN401
    visual = clip.visual.eval()
    height, width = visual.image_size if isinstance(visual.image_size, tuple) else (visual.image_size,) * 2
    if height != width:
        raise ExportError(f"{model} takes pictures of {height} x {width}: only square inputs are supported")
    try:
        preprocessing = Preprocessing(
            size=height,
            interpolation=settings["interpolation"],
            resize_mode=settings["resize_mode"],
            mean=numbers(settings["mean"]),
            std=numbers(settings["std"]),
        )
    except (KeyError, TypeError) as error:
        raise ExportError(f"the preprocessing of {model}/{pretrained} is incomplete: {error}") from error
    with torch.inference_mode():
        output = visual(torch.zeros(1, 3, height, width))
    dimensions = (output[0] if isinstance(output, tuple) else output).shape[-1]
    if dimensions != DIMENSIONS:
        raise ExportError(f"{model} gives {dimensions} dimensions, but the API's vectors have {DIMENSIONS}")
    return Loaded(model, pretrained, visual, preprocessing)
