"""How many altered copies a measure of likeness finds, and how many of the pairs it finds are copies."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Likeness = Callable[[int, int], NDArray[np.float32]]
"""Of the files from `start` to `stop` to all files: [stop - start, n], larger is more alike."""
BLOCK = 512


@dataclass(frozen=True)
class Accuracy:
    """At one threshold.

    Attributes:
        precision: of all pairs of files that are as alike, the share that shows one photograph.
        recall: of all altered copies, the share that is as alike to its photograph.
        by_kind: that share by kind of alteration.
    """

    precision: float
    recall: float
    by_kind: list[float]


def of_vectors(vectors: NDArray[np.float32]) -> Likeness:
    """The similarity, (1 + cosine) / 2, of vectors [n, 512] of length 1."""

    def similarities(start: int, stop: int) -> NDArray[np.float32]:
        return (np.float32(1) + vectors[start:stop] @ vectors.T) / np.float32(2)

    return similarities


def of_hashes(hashes: list[str]) -> Likeness:
    """Minus the number of differing bits, of hashes of 64 bits in hexadecimal."""
    bits = np.array([[int(digit) for digit in f"{int(one, 16):064b}"] for one in hashes], dtype=np.float32)
    signs = 2 * bits - 1

    def equal_bits(start: int, stop: int) -> NDArray[np.float32]:
        return (signs[start:stop] @ signs.T - np.float32(64)) / np.float32(2)

    return equal_bits


def at(
    likeness: Likeness, thresholds: Iterable[float], photographs: list[int], kinds: list[int]
) -> dict[float, Accuracy]:
    """The accuracy at each threshold.

    Args:
        likeness: of the files.
        thresholds: the least likeness of a pair that counts as one of copies.
        photographs: what each file shows.
        kinds: how each was altered; 0 is the photograph itself.
    """
    levels = np.array(sorted(thresholds), dtype=np.float32)
    shown, altered = np.array(photographs), np.array(kinds)
    whole = {int(shown[row]): row for row in np.flatnonzero(altered == 0)}
    counts = np.zeros((2, len(levels)), dtype=np.int64)
    to_original = np.empty(len(shown), dtype=np.float32)
    for start in range(0, len(shown), BLOCK):
        stop = min(start + BLOCK, len(shown))
        scores = likeness(start, stop)
        for row in range(start, stop):
            to_original[row] = scores[row - start, whole[int(shown[row])]]
            later, same = scores[row - start, row + 1 :], shown[row + 1 :] == shown[row]
            for place, level in enumerate(levels):
                alike = later >= level
                counts[:, place] += int(alike.sum()), int((alike & same).sum())
    return {
        float(level): _accuracy(counts[:, place].tolist(), to_original >= level, altered)
        for place, level in enumerate(levels)
    }


def _accuracy(counts: list[int], reached: NDArray[np.bool_], kinds: NDArray[np.int64]) -> Accuracy:
    pairs, right = counts
    by_kind = [float(reached[kinds == kind].mean()) for kind in range(1, int(kinds.max()) + 1)]
    return Accuracy(right / pairs if pairs else 1.0, float(reached[kinds > 0].mean()), by_kind)


def of_groups(groups: Iterable[list[int]], photographs: list[int], kinds: list[int]) -> tuple[float, float]:
    """Of groups of files: the share of their pairs that shows one photograph, and of copies that are grouped.

    A copy is grouped where a file of the same photograph is in its group: with either of them, one can go.
    """
    pairs = right = 0
    grouped: set[int] = set()
    for group in groups:
        shown = [photographs[row] for row in group]
        pairs += len(group) * (len(group) - 1) // 2
        right += sum(shown.count(one) - 1 for one in shown) // 2
        grouped |= {row for row in group if kinds[row] and shown.count(photographs[row]) > 1}
    return right / pairs if pairs else 1.0, len(grouped) / sum(map(bool, kinds))
