"""The engine decodes on the cores that its process may use."""

import os

import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.engine import Engine
from image_similarity.inference.loading import DEFAULT_MODEL_DIR


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(DEFAULT_MODEL_DIR, threads=1)


def test_the_cores_are_those_of_the_process(encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {1, 4, 5}, raising=False)
    assert Engine(encoder).cores == 3


@pytest.mark.parametrize(("counted", "cores"), [(6, 6), (None, 1)])
def test_where_the_system_does_not_tell_they_are_the_machines(
    encoder: OnnxEncoder, monkeypatch: pytest.MonkeyPatch, counted: int | None, cores: int
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: counted)
    assert Engine(encoder).cores == cores
