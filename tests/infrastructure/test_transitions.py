"""The synthesized template through the CloudFormation engine: every change of parameters, step by step.

`TRANSITIONS=all` takes every change of several axes, and 400 random changes of any parameters, not 24.
"""

import itertools
import os
from collections.abc import Iterator

import pytest

from local.synthesis import Assembly
from local.template.intrinsics import ResolveError
from tests.infrastructure import walks
from tests.infrastructure.account import account
from tests.infrastructure.stack import Stack, assembled

pytestmark = pytest.mark.timeout(1200)  # half a minute each on a free machine, ten on a crowded one
ALL = os.environ.get("TRANSITIONS") == "all"
RANDOM_CHANGES = 400 if ALL else 24


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assembled()


@pytest.fixture
def stack(assembly: Assembly) -> Iterator[Stack]:
    with account(assembly) as bootstrapped:
        yield Stack(bootstrapped, assembly.template)


def walk(stack: Stack, pairs: list[tuple[walks.State, walks.State]]) -> None:
    """Take every step once, then delete the stack."""
    taken = 0
    for first, *rest in walks.circuits(pairs):
        stack.become(**walks.parameters_of(first))
        for state in rest:
            stack.become(**walks.parameters_of(state))
        taken += len(rest)
    assert taken == len(pairs)
    stack.delete()


@pytest.mark.parametrize(
    ("axis", "count"),
    [("ImageSimilarity", 72), ("APIGatewayAuthorization", 36), ("APIExplorer", 36), ("Catalogue", 72)],
)
def test_every_single_change_of_an_axis(stack: Stack, axis: str, count: int) -> None:
    pairs = walks.steps(lambda changed: changed == {axis})
    assert len(pairs) == count
    walk(stack, pairs)


def test_every_change_of_two_or_three_of_them(stack: Stack) -> None:
    """Of backend, authorization and Explorer, without a catalogue; with all of TRANSITIONS also with it."""
    pairs = walks.steps(lambda changed: len(changed) > 1)
    if not ALL:
        pairs = [(one, other) for one, other in pairs if one[-1] == other[-1] == "no"]
    assert len(pairs) == (1044 if ALL else 84)
    walk(stack, pairs)


@pytest.mark.parametrize(
    ("backend", "catalogue"),
    [*itertools.product(walks.AXES["ImageSimilarity"], ("no", "yes")), ("yes-lambda", "paused")],
)
def test_every_other_parameter_alone_there_and_back(stack: Stack, backend: str, catalogue: str) -> None:
    before = dict(stack.defaults)
    if catalogue != "no":
        before["ImageBuckets"] = walks.BUCKETS
    stack.become(ImageSimilarity=backend, Catalogue=catalogue, ImageBuckets=before["ImageBuckets"])
    for name, value in walks.OTHERS.items():
        stack.become(**{name: value})
        stack.become(**{name: before[name]})
    for together in walks.TOGETHER:
        stack.become(**together)
        stack.become(**{name: before[name] for name in together})
    assert {*walks.AXES, *walks.OTHERS, *(name for pair in walks.TOGETHER for name in pair)} == {
        *stack.defaults
    } - {"SageMakerInstanceType"}
    for kind in stack.template["Parameters"]["SageMakerInstanceType"]["AllowedValues"]:
        if kind != stack.parameters["SageMakerInstanceType"] and catalogue == "no":
            stack.become(SageMakerInstanceType=kind)
    stack.delete()


def test_random_changes_of_several_parameters(stack: Stack) -> None:
    stack.become(ImageBuckets=walks.BUCKETS)
    for changes in walks.random_changes(stack.defaults, seed=1, count=RANDOM_CHANGES):
        stack.become(**changes)
    stack.delete()


def test_parameters_that_are_not_given_keep_their_values(stack: Stack) -> None:
    stack.become(APIGatewayAuthorization="NONE", LambdaMemorySize="2048")
    stack.become(APIExplorer="no")
    assert stack.engine.parameters["APIGatewayAuthorization"] == "NONE"
    assert stack.engine.parameters["LambdaMemorySize"] == "2048"


def test_a_value_that_is_refused_changes_nothing(stack: Stack) -> None:
    stack.become()
    before = stack.account.inventory()
    with pytest.raises(ResolveError, match="LambdaMemorySize=1: must be"):
        stack.deploy(LambdaMemorySize="1")
    assert stack.account.inventory() == before
    assert stack.done == []
