"""How exact each artifact is on photographs: cosine between our request path and open_clip's own pipeline.

Needs torch and open_clip: runs in .venv-export.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measure.paths import EMBEDDED, EXACT, INT8
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.errors import ApiError
from image_similarity.inference.export import checkpoint, parity
from image_similarity.inference.image import decode


@dataclass(frozen=True)
class Artifact:
    """An exported model, and the open_clip model and tag of which it is made."""

    name: str
    model: str
    pretrained: str | None
    directory: Path


ARTIFACTS = (
    Artifact("embedded, fp16 (real weights)", "embedded", None, EMBEDDED),
    Artifact("ViT-B/32, fp16 (random weights)", "ViT-B-32", "random", EXACT),
    Artifact("ViT-B/32, int8 (random weights)", "ViT-B-32", "random", INT8),
)


def cosines(artifact: Artifact, folders: Sequence[Path]) -> NDArray[np.float64]:
    """One for each photograph (JPEG) of the folders that the API takes."""
    files = sorted(p for folder in folders for p in folder.iterdir() if p.suffix.lower() in {".jpg", ".jpeg"})
    encoder = OnnxEncoder(artifact.directory, threads=2)
    usable = [file for file in files if _accepted(file, encoder)]
    reference = checkpoint.load(artifact.model, artifact.pretrained)
    return parity.measure(reference, encoder, usable).cosines


def _accepted(file: Path, encoder: OnnxEncoder) -> bool:
    try:
        decode(file.read_bytes(), preprocessing=encoder.manifest.preprocessing)
    except ApiError:
        return False  # over 4096 pixels: the API refuses it, so there is nothing to compare
    return True
