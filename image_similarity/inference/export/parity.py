"""How exact an artifact is: vectors of the request path compared with open_clip's own transform and tower."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.export import torchscript
from image_similarity.inference.export.checkpoint import ExportError, Loaded
from image_similarity.inference.image import decode
from image_similarity.inference.manifest import Precision, Preprocessing

PICTURES = Path(__file__).with_name("pictures")
_ROUNDING = 1e-6
LIMITS: dict[Precision, float] = {"fp16": 0.9999, "int8": 0.99}


@dataclass(frozen=True)
class Parity:
    """Cosines between artifact and open_clip, one for each picture [n].

    cosines: to the same picture. others: from each of open_clip's vectors to the nearest of another picture.
    """

    cosines: NDArray[np.float64]
    others: NDArray[np.float64]

    def record(self) -> dict[str, float]:
        """The figures that the manifest records."""
        return {
            "pictures": len(self.cosines),
            "cosine_min": round(float(self.cosines.min()), 7),
            "cosine_mean": round(float(self.cosines.mean()), 7),
        }

    def passes(self, precision: Precision) -> bool:
        """Whether no picture's cosine is below the limit of that precision."""
        return bool(self.cosines.min() >= LIMITS[precision])

    def require_distinct(self) -> None:
        """Raise ExportError where the original gives all pictures one vector: any artifact would pass."""
        if (self.others >= 1 - _ROUNDING).all():
            raise ExportError(
                "the model tells no pictures apart: the bundled ones all have one vector; nothing was written"
            )


def pictures() -> list[Path]:
    """The pictures bundled with the exporter."""
    return sorted(PICTURES.glob("*.jpg")) + sorted(PICTURES.glob("*.png"))


def decoded(preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """The bundled pictures as an encoder takes them, uint8 [n, S, S, 3]."""
    return np.stack([decode(file.read_bytes(), preprocessing=preprocessing) for file in pictures()])


def measure(loaded: Loaded, encoder: OnnxEncoder, files: Sequence[Path]) -> Parity:
    """Run both pipelines over the same files, from the bytes on."""
    pre = encoder.manifest.preprocessing
    ours = [encoder.encode(decode(f.read_bytes(), preprocessing=pre)[None])[0] for f in files]
    theirs = reference(loaded, files)
    a, b = np.asarray(ours, dtype=np.float64), theirs.astype(np.float64)
    b /= np.linalg.norm(b, axis=1, keepdims=True)
    others = b @ b.T
    np.fill_diagonal(others, -1)
    return Parity((a * b).sum(1) / np.linalg.norm(a, axis=1), others.max(axis=1))


def same(whole: OnnxEncoder, halves: OnnxEncoder) -> bool:
    """Whether both encoders give the bundled pictures the same vectors, to the last bit."""
    batch = decoded(whole.manifest.preprocessing)
    return np.array_equal(whole.encode(batch), halves.encode(batch)) and np.array_equal(
        whole.encode(batch[:1]), halves.encode(batch[:1])
    )


def reference(loaded: Loaded, files: Sequence[Path]) -> NDArray[np.float32]:
    """Vectors [n, d] of length one by open_clip's transform and tower, one picture at a time."""
    pre = loaded.preprocessing
    transform = image_transform_v2(
        PreprocessCfg(
            size=pre.size,
            mean=pre.mean,
            std=pre.std,
            interpolation=pre.interpolation,
            resize_mode=pre.resize_mode,
        ),
        is_train=False,
    )
    vectors = []
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for file in files:
            with Image.open(file) as picture:
                output = _encoded(loaded, transform(picture)[None], file)
            vector = output[0] if isinstance(output, tuple) else output
            vectors.append(torch.nn.functional.normalize(vector, dim=-1)[0].numpy())
    return np.asarray(vectors)


def _encoded(loaded: Loaded, picture: torch.Tensor, file: Path) -> Any:  # noqa: ANN401
    try:
        return loaded.visual(picture)
    except (RuntimeError, torch.jit.Error) as error:  # the second is of what a script raises
        raise ExportError(f"{loaded.model} can't encode {file.name}: {torchscript.why(error)}") from error
