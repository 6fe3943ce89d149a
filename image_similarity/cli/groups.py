"""Near-duplicates: groups of pictures of which each is similar to another of its group."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def scores(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """All similarities, (1 + cosine) / 2, of unit vectors [n, 512]: [n, n] in [0, 1]."""
    return np.clip((1 + vectors @ vectors.T) / 2, 0, 1)


def near_duplicates(similarities: NDArray[np.float64], threshold: float) -> list[list[int]]:
    """Group the pictures that chains of similarities of at least `threshold` connect.

    Args:
        similarities: [n, n], symmetric.
        threshold: 0 to 1.

    Returns:
        Groups of two and more indices, each in order, the largest group first.
    """
    parents = list(range(len(similarities)))

    def root(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for first, second in zip(*np.nonzero(np.triu(similarities >= threshold, k=1)), strict=True):
        parents[root(int(second))] = root(int(first))
    members: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(parents)):
        members[root(index)].append(index)
    return sorted((group for group in members.values() if len(group) > 1), key=lambda group: -len(group))


def weakest_link(similarities: NDArray[np.float64], group: Sequence[int]) -> float:
    """The lowest similarity of any two pictures of a group."""
    return float(similarities[np.ix_(group, group)].min())
