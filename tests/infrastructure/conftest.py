"""One synthesis for each context, once a session: jsii starts slowly, further ones are quick."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.synthesis import Synthesized, synthesize

Synthesize = Callable[..., Synthesized]


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """`synthesized(backend="sagemaker")` gives the cloud assembly of that context over cdk.json's."""
    made: dict[str, Synthesized] = {}

    def of(**flags: str) -> Synthesized:
        key = json.dumps(flags, sort_keys=True)
        if key not in made:
            made[key] = synthesize(tmp_path_factory.mktemp("cdk"), flags)
        return made[key]

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
