"""Decoders that obey `hostile`, and the picture that must be right after each of them."""

from collections.abc import Iterator

import pytest

from image_similarity.inference.decoders.processes import DecoderProcesses
from tests.decoders.hostile import hostile


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderProcesses]:
    made = DecoderProcesses(hostile(), size=1)
    yield made
    made.close()
