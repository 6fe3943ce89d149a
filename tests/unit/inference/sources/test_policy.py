"""The policy as a deployment's environment states it."""

import pytest

from image_similarity.inference.sources import SourcePolicy


def test_defaults_are_the_contract() -> None:
    policy = SourcePolicy.from_environment({})
    assert policy == SourcePolicy(frozenset(), False, 20 * 1024 * 1024, 10.0)


def test_buckets() -> None:
    policy = SourcePolicy.from_environment({"IMAGE_BUCKETS": " cats, dogs.example ,,"})
    assert policy.buckets == {"cats", "dogs.example"}


@pytest.mark.parametrize(("value", "allowed"), [("1", True), ("", False), ("0", False), ("false", False)])
def test_private_sources_take_exactly_1(value: str, allowed: bool) -> None:
    assert SourcePolicy.from_environment({"ALLOW_PRIVATE_SOURCES": value}).allow_private is allowed
