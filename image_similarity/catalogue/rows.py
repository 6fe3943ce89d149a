"""Vectors in memory by slot, multiplied with a query."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from image_similarity.catalogue.index import Vector, batches
from image_similarity.inference.manifest import DIMENSIONS

BLOCK = 131_072
"""Rows that are allocated at once (256 MiB, of which only what is written takes memory): an
index grows without being copied, and a million vectors are eight products."""

PART = 4096
"""Rows that are set at once."""
GROUP = 256
EMPTY = np.full(DIMENSIONS, np.nan, dtype="<f4").tobytes()


class Rows:
    """Unit vectors float32 [512] at slots 0, 1, 2, ...; a slot without one has NaN, which is no candidate.

    Attributes:
        change: the last change of the index that these rows know.
    """

    def __init__(self) -> None:
        self.change = 0
        self._used = 0
        self._blocks: list[NDArray[np.float32]] = []

    def take(self, changed: Iterable[tuple[int, bytes | None]]) -> None:
        """Set rows: slots and their vectors of any length, None where a slot is empty now."""
        for part in batches(changed, PART):
            slots = np.array([slot for slot, _ in part], dtype=np.int64)
            data = b"".join(EMPTY if vector is None else vector for _, vector in part)
            vectors = np.frombuffer(data, dtype="<f4").reshape(-1, DIMENSIONS)
            self._grow(int(slots.max()) + 1)
            units = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
            for number in np.unique(slots // BLOCK).tolist():
                inside = slots // BLOCK == number
                self._blocks[number][slots[inside] % BLOCK] = units[inside]

    def _grow(self, used: int) -> None:
        """Have room for so many slots, the new ones empty."""
        while len(self._blocks) * BLOCK < used:
            self._blocks.append(np.empty((BLOCK, DIMENSIONS), dtype=np.float32))
        for number, block in enumerate(self._blocks):
            fresh = slice(max(self._used - number * BLOCK, 0), max(used - number * BLOCK, 0))
            block[fresh] = np.nan
        self._used = max(self._used, used)

    def candidates(
        self, vector: Vector, limit: int, near: float, slots: NDArray[np.int64] | None = None
    ) -> NDArray[np.int64]:
        """The slots that may be among the `limit` most similar ones, in no order.

        Args:
            vector: float32 [512] of any length but zero.
            limit: at least 1.
            near: a slot whose cosine is this much under that of the last one may be among them too.
            slots: those that count; none: all.
        """
        cosines = self._cosines(vector / np.linalg.norm(vector))
        if slots is not None:
            cosines = cosines[slots]
        near_enough = np.flatnonzero(cosines >= _floor(cosines, limit) - near)
        found = cosines[near_enough]
        if limit < len(found):
            near_enough = near_enough[found >= np.partition(found, -limit)[-limit] - near]
        return near_enough if slots is None else slots[near_enough]

    def _cosines(self, unit: Vector) -> Vector:
        cosines = np.empty(self._used, dtype=np.float32)
        for start, block in zip(range(0, self._used, BLOCK), self._blocks, strict=True):
            part = cosines[start : start + BLOCK]
            np.matmul(block[: len(part)], unit, out=part)
        return cosines


def _floor(cosines: Vector, limit: int) -> np.float32:
    """What the last of the `limit` best has at least: as much as the last of so many bests of groups.

    To find that is a small part of the work of finding the best themselves. NaN is less than everything.
    """
    groups = len(cosines) // GROUP
    bests = np.fmax.reduce(cosines[: groups * GROUP].reshape(groups, GROUP), axis=1)
    bests = bests[~np.isnan(bests)]
    return np.partition(bests, -limit)[-limit] if limit <= len(bests) else np.float32(-np.inf)
