"""Both images, built once with the `embedded` model, in an engine of our own."""

import hashlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest

from local.backends.emulator import emulator
from tests.container.bases import ROOT, build_arguments
from tests.container.engine import Engine, engine
from tests.support.world import World, running_world


def pytest_configure() -> None:
    # A stop from outside ends as Ctrl-C does: fixtures are torn down, the daemon with them.
    signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.container)


@dataclass(frozen=True)
class Images:
    """The engine, and what it built."""

    engine: Engine
    arguments: dict[str, list[str]]
    emulator: Path
    names: dict[str, str]


@pytest.fixture(scope="session")
def images() -> Iterator[Images]:
    # Short, because a socket's path may have 107 characters; one for each checkout.
    root = Path("/var/tmp") / f"images-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
    start = time.monotonic()
    with engine(root) as running:
        arguments = build_arguments(running)
        names = {}
        for backend, options in arguments.items():
            names[backend] = f"localhost/{backend}:test"
            running.build(ROOT, names[backend], "-f", f"{ROOT}/{backend}/Dockerfile", *options)
        print(f"\nboth images after {time.monotonic() - start:.0f} s")
        yield Images(running, arguments, emulator(ROOT / ".cache", print), names)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with running_world() as running:
        yield running
