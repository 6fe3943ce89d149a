"""Precision and recall of copies, by hand on a few files; and the folder whose names say which is which."""

from pathlib import Path

import numpy as np
import pytest

from bench.measure.duplicates import accuracy, folder

PHOTOGRAPHS, KINDS = [0, 0, 0, 1, 1], [0, 1, 2, 0, 1]
DEGREES = [0, 10, 60, 65, 160]


def test_precision_and_recall_of_angles() -> None:
    radians = np.radians(DEGREES)
    vectors = np.zeros((len(DEGREES), 512), dtype=np.float32)
    vectors[:, 0], vectors[:, 1] = np.cos(radians), np.sin(radians)
    close = (1 + np.cos(np.radians(11))) / 2
    [(_, found)] = accuracy.at(accuracy.of_vectors(vectors), [close], PHOTOGRAPHS, KINDS).items()
    # Of the pairs that are alike, 0-10 shows one photograph and 60-65 two; one copy of three is near its own.
    assert found.precision == pytest.approx(1 / 2)
    assert found.recall == pytest.approx(1 / 3)
    assert found.by_kind == pytest.approx([1 / 2, 0])


def test_distances_of_hashes() -> None:
    hashes = [
        "0000000000000000",
        "0000000000000007",
        "ffffffffffffffff",
        "00000000000000ff",
        "0000000000000000",
    ]
    found = accuracy.at(accuracy.of_hashes(hashes), [-3, -8], PHOTOGRAPHS, KINDS)
    # 3 bits: 0-1, 0-4 and 1-4 are pairs, the first is right. 8 bits: 0-3, 1-3 and 3-4 too, the last is right.
    assert [found[-3].precision, found[-3].recall] == pytest.approx([1 / 3, 1 / 3])
    assert [found[-8].precision, found[-8].recall] == pytest.approx([2 / 6, 2 / 3])


def test_groups_count_by_pairs_and_copies() -> None:
    # Two of the group's three pairs show two photographs; a copy counts where another of its own is with it.
    assert list(accuracy.of_groups([[0, 1, 3]], PHOTOGRAPHS, KINDS)) == pytest.approx([1 / 3, 1 / 3])


@pytest.mark.slow
def test_the_folder_has_each_photograph_with_its_copies(tmp_path: Path) -> None:
    assert folder.make(tmp_path, None, 20) == 2
    names = sorted(path.name for path in tmp_path.iterdir())
    photographs, kinds = folder.labels(names)
    assert len(names) == 20
    for photograph in (0, 1):
        own = [kind for shown, kind in zip(photographs, kinds, strict=True) if shown == photograph]
        assert own == sorted(set(own))
        assert own[0] == 0
    with pytest.raises(ValueError, match="photographs give"):
        folder.make(tmp_path, None, 100_000)
