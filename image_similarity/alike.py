"""Alike vectors among many: pairs, and groups. Memory grows with their number, never with its square."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference import similarity
from image_similarity.inference.manifest import DIMENSIONS

ROWS = 1024
"""Vectors that are compared with all others at once, or as many as give BLOCK cosines: never [n, n]."""
BLOCK = 2**23
"""Cosines that are in memory at once, 4 bytes each."""
ROUNDING = 1e-5
"""How far a cosine of a float32 product may be from the exact one, by which a pair is judged in the end."""
Vectors = NDArray[np.float32]
Member = TypeVar("Member", Path, int)


@dataclass(frozen=True, slots=True)
class Pair(Generic[Member]):
    """Two images that are alike: paths, or rows of the vectors that were given."""

    first: Member
    second: Member
    similarity: float


@dataclass(frozen=True, slots=True)
class Grouping:
    """Groups of alike rows.

    Attributes:
        groups: two rows and more each, in order; the largest group first.
        left: rows that are alike to one of a group but not to all of it, and in no other group.
    """

    groups: list[list[int]]
    left: list[int]


def alike_rows(vectors: Vectors, threshold: float) -> list[Pair[int]]:
    """All pairs of rows whose similarity is at least `threshold`, the most alike first.

    Args:
        vectors: [n, 512], of any length.
        threshold: 0 to 1.

    Raises:
        ValueError: the array has another shape.
    """
    units = _units(vectors)
    alike: list[Pair[int]] = []
    for start, cosines in _upper_blocks(units):
        for row, column in np.argwhere(cosines >= _cosine(threshold) - ROUNDING).tolist():
            if row < column:
                first, second = start + row, start + column
                score = similarity.score(vectors[first], vectors[second])
                if score >= threshold:
                    alike.append(Pair(first, second, score))
    return sorted(alike, key=lambda pair: (-pair.similarity, pair.first, pair.second))


def alike_groups(vectors: Vectors, threshold: float) -> Grouping:
    """Group rows so that any two of a group have at least the similarity `threshold`.

    Rows are taken in the order of how alike their nearest one is, so those most alike find each other first.
    Each goes to the group that has the row most alike to it among the groups to all of whose rows it is alike
    enough, or begins one. So nothing is connected by a chain of likenesses.

    Args:
        vectors: [n, 512], of any length.
        threshold: 0 to 1.

    Raises:
        ValueError: the array has another shape.
    """
    # Equal vectors are one: a thousand scans of a blank page must not cost a million comparisons.
    copies = _copies(vectors)
    rows = np.fromiter(copies, dtype=np.int64, count=len(copies))
    units = _units(vectors if len(rows) == len(vectors) else vectors[rows])
    nearest = _nearest(units)
    near = np.flatnonzero(nearest >= _cosine(threshold) - ROUNDING)
    order = near[np.argsort(-nearest[near], kind="stable")]
    labels = _labels(units[order], vectors, rows[order], threshold)
    members: dict[int, list[int]] = {}
    for position, row in enumerate(rows.tolist()):
        if len(copies[row]) > 1:
            members[-position - 1] = copies[row]
    for index, label in zip(order.tolist(), labels, strict=True):
        members.setdefault(label, []).extend(members.pop(-index - 1, [int(rows[index])]))
    groups = [sorted(group) for group in members.values() if len(group) > 1]
    left = sorted(group[0] for group in members.values() if len(group) == 1)
    return Grouping(sorted(groups, key=lambda group: (-len(group), group)), left)


def scores_within(vectors: Vectors, group: Sequence[int]) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Each row of a group but the last with its similarities to the rows that follow it in the group.

    Yields:
        The row's position in the group, and float64 [n - 1 - position].
    """
    members = vectors[list(group)]
    for position in range(len(group) - 1):
        yield position, _scores(members[position], members[position + 1 :])


def weakest(vectors: Vectors, group: Sequence[int]) -> float:
    """The lowest similarity of any two rows of a group."""
    members = vectors[list(group)]
    distinct = members[list(_copies(members))]
    lowest = [cosines.min(axis=1) for _, cosines in _upper_blocks(_units(distinct))]
    lows = np.concatenate(lowest)
    doubtful = np.flatnonzero(lows <= lows.min() + 2 * ROUNDING).tolist()
    exact = (_scores(distinct[row], distinct[row + 1 :]) for row in doubtful if row + 1 < len(distinct))
    return min((float(scores.min()) for scores in exact), default=1.0)


def _cosine(score: float) -> float:
    return 2 * score - 1


def _units(vectors: Vectors) -> Vectors:
    """The vectors at length 1; those without a direction stay as they are."""
    if vectors.ndim != 2 or vectors.shape[1] != DIMENSIONS:
        raise ValueError(f"the vectors are {list(vectors.shape)}, expected [n, {DIMENSIONS}]")
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))[:, np.newaxis]
    return np.divide(vectors, np.where(lengths > 0, lengths, 1).astype(np.float32), dtype=np.float32)


def _copies(vectors: Vectors) -> dict[int, list[int]]:
    """The first row of each value with all rows of that value."""
    first: dict[int, int] = {}
    copies: dict[int, list[int]] = {}
    for row, vector in enumerate(vectors):
        known = first.setdefault(hash(vector.tobytes()), row)
        if known != row and not np.array_equal(vectors[known], vector):
            known = row  # another value with the same hash
        copies.setdefault(known, []).append(row)
    return copies


def _blocks(count: int) -> Iterator[tuple[int, int]]:
    """Ranges of rows of which each may be compared with all `count`."""
    step = max(1, min(ROWS, BLOCK // max(count, 1)))
    return ((start, min(start + step, count)) for start in range(0, count, step))


def _upper_blocks(units: Vectors) -> Iterator[tuple[int, Vectors]]:
    """Blocks of rows, each with its cosines to itself and to all rows after it."""
    for start, stop in _blocks(len(units)):
        yield start, units[start:stop] @ units[start:].T


def _nearest(units: Vectors) -> Vectors:
    """The highest cosine of each row to any other one: [n]."""
    nearest = np.full(len(units), -np.inf, dtype=np.float32)
    for start, cosines in _upper_blocks(units):
        np.fill_diagonal(cosines, -np.inf)
        stop = start + len(cosines)
        nearest[start:stop] = np.maximum(nearest[start:stop], cosines.max(axis=1))
        nearest[start:] = np.maximum(nearest[start:], cosines.max(axis=0))
    return nearest


def _labels(units: Vectors, vectors: Vectors, rows: NDArray[np.int64], threshold: float) -> list[int]:
    """The group of each of `rows` of the vectors, by number; see `alike_groups`."""
    labels = np.empty(len(rows), dtype=np.int64)
    sizes: list[int] = []
    for start, stop in _blocks(len(rows)):
        cosines = units[start:stop] @ units[:stop].T
        for index in range(start, stop):
            before = cosines[index - start, :index]
            alike = np.flatnonzero(before >= _cosine(threshold) - ROUNDING)
            unsure = before[alike] < _cosine(threshold) + ROUNDING
            if unsure.any():
                exact = _scores(vectors[rows[index]], vectors[rows[alike[unsure]]])
                alike = np.sort(np.concatenate([alike[~unsure], alike[unsure][exact >= threshold]]))
            touched, counts = np.unique(labels[alike], return_counts=True)
            whole = touched[[sizes[label] == count for label, count in zip(touched, counts, strict=True)]]
            if len(whole):
                fitting = alike[np.isin(labels[alike], whole)]
                labels[index] = labels[fitting[np.argmax(before[fitting])]]
                sizes[labels[index]] += 1
            else:
                labels[index] = len(sizes)
                sizes.append(1)
    return list(map(int, labels))


def _scores(vector: Vectors, others: Vectors) -> NDArray[np.float64]:
    """The similarities of one vector [512] to others [n, 512], see `similarity.score`: [n]."""
    one, many = vector.astype(np.float64), others.astype(np.float64)
    lengths = np.sqrt((one @ one) * np.einsum("ij,ij->i", many, many))
    cosines = np.divide(many @ one, lengths, out=np.zeros(len(many)), where=lengths > 0)
    return np.where((others == vector).all(axis=1), 1.0, np.clip((1 + cosines) / 2, 0, 1))
