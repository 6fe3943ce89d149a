"""Groups of alike vectors: none weaker than the threshold, and in little memory."""

import subprocess
import sys

import numpy as np
import pytest

from image_similarity import alike, similarity
from image_similarity.alike import ROWS, alike_groups, alike_rows, scores_within, weakest

MEASURED = """
import resource, sys
import numpy as np
from image_similarity.alike import alike_groups
count = int(sys.argv[1])
generator = np.random.default_rng(1)
vectors = generator.standard_normal((count, 512), dtype=np.float32)
vectors[1::2] = vectors[::2] + 0.1 * vectors[1::2]  # each second one is like the one before
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
groups = alike_groups(vectors, 0.9).groups
assert len(groups) == count // 2, len(groups)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def clustered(seed: int, count: int, spread: float) -> np.ndarray:
    generator = np.random.default_rng(seed)
    centres = generator.standard_normal((max(1, count // 5), 512))
    noise = generator.standard_normal((count, 512)) * spread
    return (centres[generator.integers(len(centres), size=count)] + noise).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("threshold", [0.0, 0.6, 0.75, 0.8, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("spread", [0.01, 0.5, 0.8])
def test_no_pair_of_a_group_is_weaker_than_the_threshold(threshold: float, spread: float) -> None:
    vectors = clustered(3, 120, spread)
    vectors[7] = vectors[3]
    vectors[9] = 2 * vectors[3]
    grouping = alike_groups(vectors, threshold)
    grouped = [row for group in grouping.groups for row in group]
    assert len(grouped) == len(set(grouped))
    for group in grouping.groups:
        scores = [similarity(vectors[a], vectors[b]) for a in group for b in group]
        assert min(scores) >= threshold
        assert weakest(vectors, group) == pytest.approx(min(scores), abs=1e-12)
    alone = set(range(len(vectors))) - set(grouped)
    pairs = alike_rows(vectors, threshold)
    assert {row for pair in pairs for row in (pair.first, pair.second)} & alone == set(grouping.left)
    for pair in pairs:  # two that are in no group would have made one
        assert not {pair.first, pair.second} <= alone


def test_those_most_alike_find_each_other_first() -> None:
    """0, 20 and 21 degrees: the likest two are a group, though the first could have had the second."""
    radians = np.radians([0, 20, 21])
    vectors = np.zeros((3, 512), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(radians), np.sin(radians)
    grouping = alike_groups(vectors, 0.969)
    assert (grouping.groups, grouping.left) == ([[1, 2]], [0])


def test_a_pair_at_the_threshold_is_judged_by_its_exact_score() -> None:
    vectors = clustered(5, 60, 0.7)
    for pair in alike_rows(vectors, 0.7)[:40]:
        both = vectors[[pair.first, pair.second]]
        assert alike_groups(both, pair.similarity - 1e-12).groups == [[0, 1]]
        assert alike_groups(both, pair.similarity + 1e-12).groups == []


@pytest.mark.slow
def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = clustered(7, 300, 0.6)
    whole = alike_groups(vectors, 0.75), alike_rows(vectors, 0.75)
    monkeypatch.setattr(alike, "ROWS", 37)
    assert (alike_groups(vectors, 0.75), alike_rows(vectors, 0.75)) == whole


def test_scores_within_a_group_are_those_of_its_pairs() -> None:
    vectors = clustered(9, 6, 0.6)
    group = [4, 0, 5, 2]
    for position, scores in scores_within(vectors, group):
        expected = [similarity(vectors[group[position]], vectors[row]) for row in group[position + 1 :]]
        assert scores.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("vectors", [np.zeros((0, 512)), np.zeros((1, 512)), np.zeros((3, 512))])
def test_few_and_those_without_direction(vectors: np.ndarray) -> None:
    groups = alike_groups(vectors.astype(np.float32), 0.9).groups
    assert groups == ([[0, 1, 2]] if len(vectors) == 3 else [])


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \[n, 512\]"):
        alike_groups(np.zeros((3, 4), dtype=np.float32), 0.9)


@pytest.mark.slow
def test_memory_grows_with_the_number_and_not_with_its_square() -> None:
    count = 12_000
    assert count > 10 * ROWS
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(count)], capture_output=True, text=True, check=True
    )
    all_similarities = 4 * count**2
    assert int(done.stdout) < all_similarities / 4, "576 MB would be all similarities in float32"
