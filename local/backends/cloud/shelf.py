"""The vectors of one index of S3 Vectors."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAGE_BYTES = 1024 * 1024
"""A page of a list has this much at most (ListVectors)."""


@dataclass(frozen=True, slots=True)
class Vector:
    """One vector; `place` is where it stands in a list, which has no order that a client could use."""

    key: str
    data: NDArray[np.float32]
    metadata: Mapping[str, Any]
    place: str


class Shelf:
    """Vectors by key, searched exactly.

    Attributes:
        unfiltered: keys of metadata that no filter may name.
    """

    def __init__(self, unfiltered: frozenset[str]) -> None:
        self.unfiltered = unfiltered
        self._vectors: dict[str, Vector] = {}
        self._matrix: tuple[list[Vector], NDArray[np.float32]] | None = None

    def put(self, vectors: Iterable[Mapping[str, Any]]) -> None:
        """Write vectors as PutVectors has them."""
        for one in vectors:
            key, data = one["key"], np.array(one["data"]["float32"], dtype=np.float32)
            place = hashlib.sha256(key.encode()).hexdigest()
            self._vectors[key] = Vector(key, data, one.get("metadata") or {}, place)
        self._matrix = None

    def delete(self, keys: Iterable[str]) -> None:
        """Remove what is there of these keys."""
        for key in keys:
            self._vectors.pop(key, None)
        self._matrix = None

    def get(self, key: str) -> Vector | None:
        """The vector of a key."""
        return self._vectors.get(key)

    def page(self, after: str, most: int, segment: int, segments: int) -> tuple[list[Vector], str]:
        """Vectors of a segment after a place, and the place of the last one if there are more."""
        rest = sorted(
            (
                one
                for one in self._vectors.values()
                if one.place > after and int(one.place[:8], 16) % segments == segment
            ),
            key=lambda one: one.place,
        )
        page: list[Vector] = []
        size = 0
        for one in rest[:most]:
            size += one.data.nbytes + len(str(one.metadata)) + len(one.key)
            if page and size > PAGE_BYTES:
                break
            page.append(one)
        return page, page[-1].place if len(page) < len(rest) else ""

    def nearest(
        self,
        vector: NDArray[np.float32],
        count: int,
        metric: str,
        chosen: Callable[[Mapping[str, Any]], bool],
    ) -> list[tuple[Vector, float]]:
        """The nearest ones among those whose metadata is chosen, and their distances as float32."""
        if self._matrix is None:
            found = list(self._vectors.values())
            self._matrix = (found, np.array([one.data for one in found], dtype=np.float32))
        vectors, matrix = self._matrix
        rows = [row for row, one in enumerate(vectors) if chosen(one.metadata)]
        if not rows:
            return []
        distances = _distances(matrix[rows], vector, metric)
        order = np.argsort(distances, kind="stable")[:count]
        return [(vectors[rows[place]], float(distances[place])) for place in order.tolist()]


def _distances(matrix: NDArray[np.float32], vector: NDArray[np.float32], metric: str) -> NDArray[np.float32]:
    if metric == "euclidean":
        return np.asarray(np.linalg.norm(matrix - vector, axis=1), dtype=np.float32)
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
    return np.asarray(1 - (matrix @ vector) / lengths, dtype=np.float32)
