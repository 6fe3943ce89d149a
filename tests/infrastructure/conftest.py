"""One synthesis for each context, once a run, for all workers: each takes seconds."""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesized, synthesize

Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """`synthesized(backend="sagemaker")` gives the cloud assembly of that context over cdk.json's."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of one run, not of one worker

    def of(**flags: str) -> Synthesized:
        key = hashlib.sha256(json.dumps(flags, sort_keys=True).encode()).hexdigest()[:16]
        folder = shared / f"cdk-{key}"
        with (shared / f"cdk-{key}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return Synthesized(folder) if folder.exists() else synthesize(folder, flags)

    return of


@pytest.fixture(scope="session")
def template(synthesized: Synthesize) -> dict[str, Any]:
    """The template of the flags' defaults."""
    return synthesized().template


@pytest.fixture(scope="session")
def template_file(synthesized: Synthesize) -> Path:
    return synthesized().folder / "ImageSimilarity.template.json"


@pytest.fixture(scope="session")
def resources(template: Mapping[str, Any]) -> dict[str, Any]:
    return template["Resources"]
