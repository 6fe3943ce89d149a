"""Chunks are indexed side by side, and given in order."""

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.folders.ahead import ahead
from image_similarity.folders.encoding import DeferredEncoder
from image_similarity.folders.index import CHUNK, FolderIndex
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from tests.unit.folders.test_folders import draw


def test_results_come_in_order_and_few_are_begun_before() -> None:
    taken: list[int] = []

    def numbers(count: int) -> Iterator[int]:
        for number in range(count):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(2) as pool:
        results = ahead(pool, lambda number: number * number, numbers(9), 2)
        assert next(results) == 0
        assert taken == [0, 1, 2]
        assert list(results) == [number * number for number in range(1, 9)]


def test_an_error_is_raised_in_its_turn_and_nothing_is_begun_after_it() -> None:
    done: list[int] = []

    def work(number: int) -> int:
        if number == 1:
            raise ValueError("one")
        done.append(number)
        return number

    with ThreadPoolExecutor(1) as pool:
        results = ahead(pool, work, range(9), 2)
        assert next(results) == 0
        with pytest.raises(ValueError, match="one"):
            next(results)
        assert list(results) == []
    assert max(done) <= 3


def test_who_goes_away_begins_nothing_more() -> None:
    gate, begun = threading.Event(), list[int]()

    def work(number: int) -> int:
        begun.append(number)
        return number if number == 0 else int(gate.wait(100))

    with ThreadPoolExecutor(1) as pool:
        results = ahead(pool, work, range(9), 3)
        assert next(results) == 0
        results.close()
        gate.set()
    assert begun in ([0], [0, 1])


class Together(DeferredEncoder):
    """Goes on only when two calls of it are there."""

    def __init__(self) -> None:
        super().__init__(DEFAULT_MODEL_DIR)
        self._both = threading.Barrier(2)

    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._both.wait(100)
        return super().encode(batch)


@pytest.mark.slow
@pytest.mark.parametrize("pictures", [2, 2 * CHUNK])
def test_every_core_encodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pictures: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for number in range(pictures):
        draw(tmp_path / f"{number:03}.png", number)
    with FolderIndex(tmp_path / "index.sqlite", Together()) as index:
        todo = index.todo(index.look_through([str(tmp_path)]))
        done = [one for some in index.update(todo) for one in some]
        assert [(one.key, one.problem) for one in done] == [(key, None) for key in todo]
        present, vectors = index.vectors(todo)
        assert present == todo
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
