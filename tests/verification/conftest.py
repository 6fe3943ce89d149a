"""One place for all stacks of a worker, and what the whole program says of a good one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.verification.place import Place, place


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("verify")) as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "results"
