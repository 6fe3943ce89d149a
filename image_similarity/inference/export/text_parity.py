"""How exact a text tower is: ids and vectors of the runtime compared with open_clip's own."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray

from image_similarity.inference.export.checkpoint import ExportError, Loaded

LIMIT = 0.9999
TEXTS = (
    "cat",
    "a red shirt",
    "two dogs at a window",
    "A photo of a sunset over the sea, taken from a mountain path.",
    "it's the 3rd of 12 wine glasses; don't spill!",
    "black &amp; white &lt;portrait&gt;",
    "  odd\u00a0\u3000spaces \t and\nlines ",
    "\u201ccurly\u201d \u2018quotes\u2019 \u2026 and a \ufb01ne ligature",
    "café naïve Straße ΑΒΓ",
    "кот на крыше",
    "一只红色的鸟",
    "赤いシャツを着た人",
    "빨간 셔츠",
    "قميص أحمر",
    "🐱🏔️ 👩‍👩‍👧 🎉",
    "C++ #1 50% $9.99 (a_b)",
    "antidisestablishmentarianism",
    "a wide meadow with yellow flowers, a wooden hut and a stream",
)
"""Short enough for every tower, and each with something that a tokenizer may take otherwise."""
_SHIFT = 12_345


class Tower(Protocol):
    """What is measured of a text tower."""

    def ids(self, text: str) -> list[int]:
        """Token ids with the marks of start and end."""

    def encode_ids(self, ids: list[int]) -> NDArray[np.float32]:
        """The unit vector float32 [512]."""


@dataclass(frozen=True)
class TextParity:
    """Cosines to open_clip's vectors, one for each text [n].

    cosines: of the same texts. swapped: of the texts with another token in their middle.
    """

    cosines: NDArray[np.float64]
    swapped: NDArray[np.float64]

    def record(self) -> dict[str, float]:
        """The figures that the manifest records."""
        return {
            "texts": len(self.cosines),
            "cosine_min": round(float(self.cosines.min()), 7),
            "cosine_mean": round(float(self.cosines.mean()), 7),
            "swapped_cosine_max": round(float(self.swapped.max()), 7),
        }

    def require(self) -> None:
        """Raise ExportError if a text's cosine is below the limit, or if a wrong token would not be seen."""
        lowest = float(self.cosines.min())
        if not lowest >= LIMIT:
            raise ExportError(
                f"the text tower is not open_clip's: cosine {lowest:.6f} on a bundled text, at least {LIMIT} "
                "is needed; nothing was written"
            )
        blind = float(np.median(self.swapped))
        if not blind < LIMIT:
            raise ExportError(
                f"texts with a wrong token have the cosine {blind:.6f} to the right ones: these weights do "
                "not tell tokens apart, so the text tower can't be checked; nothing was written"
            )


def measure(loaded: Loaded, tower: Tower, texts: Sequence[str]) -> TextParity:
    """Run both pipelines over the same texts, from the characters on.

    Raises:
        ExportError: a text has other token ids than open_clip's tokenizer gives it.
    """
    tokens = open_clip.get_tokenizer(loaded.model)(list(texts))
    with torch.inference_mode():
        theirs = loaded.clip.encode_text(tokens, normalize=True).double().numpy()
    cosines, swapped = [], []
    for text, row, reference in zip(texts, tokens.tolist(), theirs, strict=True):
        ids = tower.ids(text)
        if ids + [0] * (len(row) - len(ids)) != row:
            raise ExportError(f"the text {text!a} has other token ids than open_clip's; nothing was written")
        cosines.append(_cosine(tower.encode_ids(ids), reference))
        swapped.append(_cosine(tower.encode_ids(with_another_token(ids)), reference))
    return TextParity(np.asarray(cosines), np.asarray(swapped))


def with_another_token(ids: list[int]) -> list[int]:
    """The ids of a text with another token in its middle."""
    middle, start = len(ids) // 2, ids[0]
    return [*ids[:middle], (ids[middle] + _SHIFT) % start, *ids[middle + 1 :]]


def _cosine(ours: NDArray[np.float32], theirs: NDArray[np.float64]) -> float:
    return float(ours.astype(np.float64) @ theirs / (np.linalg.norm(ours) * np.linalg.norm(theirs)))
