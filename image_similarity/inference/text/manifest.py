"""The description that lies beside a text tower: what it belongs to, and how its input is made."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import xxhash

from image_similarity.inference.manifest import (
    MANIFEST_FILE,
    MODEL_FILE,
    UNREADABLE,
    WEIGHTS_FILE,
    ManifestError,
    check_types,
    verify_file,
)

MERGES_FILE = "merges.txt"


@dataclass(frozen=True)
class TextManifest:
    """One text tower's identity.

    model, pretrained: as in the manifest of the pictures' encoder. image_weights_sha256: of that encoder's
    model.onnx.data, whose vectors these are made for. sha256, weights_sha256, weights_xxh3: as there, of the
    tower's own files. merges_sha256: of merges.txt. context_length: tokens at most, with the marks of start
    and end. padded: whether the tower looks at all places, so that short texts are filled up with zeros.
    opset: ONNX operator set. parity: what the export measured against open_clip's own tower (texts,
    cosine_min, cosine_mean), and how near a text with another token comes (swapped_cosine_max).
    """

    model: str
    pretrained: str
    image_weights_sha256: str
    sha256: str
    weights_sha256: str
    weights_xxh3: str
    merges_sha256: str
    context_length: int
    padded: bool
    opset: int
    parity: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_types(self)
        if not 3 <= self.context_length <= 512:
            raise ManifestError(f"context_length is {self.context_length}, expected 3 to 512 tokens")

    @classmethod
    def load(cls, folder: Path) -> "TextManifest":
        """Reads the manifest.json of a text tower; ManifestError when it is missing or not usable."""
        path = folder / MANIFEST_FILE
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(**content)
        except FileNotFoundError:
            raise ManifestError(f"{path} does not exist: export the model there first") from None
        except ManifestError as error:
            raise ManifestError(f"{path}: {error}") from None
        except UNREADABLE as error:
            raise ManifestError(f"{path} is no manifest of a text tower ({error}): export again") from None

    def save(self, folder: Path) -> None:
        """Writes manifest.json."""
        (folder / MANIFEST_FILE).write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def verify(self, folder: Path, image_weights_sha256: str) -> None:
        """Raises ManifestError unless these are the files, and the pictures' encoder is the tower's own."""
        if self.image_weights_sha256 != image_weights_sha256:
            raise ManifestError(
                f"the text tower in {folder} belongs to another model than the one beside it: "
                "export the model again"
            )
        verify_file(folder / MODEL_FILE, self.sha256, hashlib.sha256)
        verify_file(folder / WEIGHTS_FILE, self.weights_xxh3, xxhash.xxh3_128)
        verify_file(folder / MERGES_FILE, self.merges_sha256, hashlib.sha256)
