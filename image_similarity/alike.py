"""Pairs of alike vectors."""

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference import similarity
from image_similarity.inference.manifest import DIMENSIONS

ROWS = 1024
"""Vectors that are compared with all others at once: [ROWS, n] numbers are in memory, never [n, n]."""
ROUNDING = 1e-9
"""How far a matrix product may be from the score that is then computed for the pair."""
Member = TypeVar("Member", Path, int)


@dataclass(frozen=True, slots=True)
class Pair(Generic[Member]):
    """Two images that are alike: paths, or rows of the vectors that were given."""

    first: Member
    second: Member
    similarity: float


def alike_rows(vectors: NDArray[np.float32], threshold: float) -> list[Pair[int]]:
    """All pairs of rows whose similarity is at least `threshold`, the most alike first.

    Args:
        vectors: [n, 512], of any length.
        threshold: 0 to 1.

    Raises:
        ValueError: the array has another shape.
    """
    if vectors.ndim != 2 or vectors.shape[1] != DIMENSIONS:
        raise ValueError(f"the vectors are {list(vectors.shape)}, expected [n, {DIMENSIONS}]")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    units = vectors / np.where(lengths > 0, lengths, 1)
    least = 2 * (threshold - ROUNDING) - 1
    alike: list[Pair[int]] = []
    for start in range(0, len(units), ROWS):
        cosines = units[start : start + ROWS] @ units[start:].T
        for row, column in np.argwhere(np.triu(cosines >= least, k=1)).tolist():
            first, second = start + row, start + column
            score = similarity.score(vectors[first], vectors[second])
            if score >= threshold:
                alike.append(Pair(first, second, score))
    return sorted(alike, key=lambda pair: (-pair.similarity, pair.first, pair.second))
