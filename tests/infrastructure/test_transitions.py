"""The synthesized template through the CloudFormation engine: every change of parameters, step by step.

`TRANSITIONS=all` takes 400 random multi-parameter changes, in place of 24.
"""

import os
from collections.abc import Iterator

import pytest

from local.synthesis import Assembly
from local.template.intrinsics import ResolveError
from tests.infrastructure import walks
from tests.infrastructure.account import account
from tests.infrastructure.stack import Stack, assembled

pytestmark = pytest.mark.timeout(1200)  # half a minute each on a free machine, ten on a crowded one
RANDOM_CHANGES = 400 if os.environ.get("TRANSITIONS") == "all" else 24


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assembled()


@pytest.fixture
def stack(assembly: Assembly) -> Iterator[Stack]:
    with account(assembly) as bootstrapped:
        yield Stack(bootstrapped, assembly.template)


def walk(stack: Stack, distances: tuple[int, ...]) -> None:
    """Take every step of these distances once, then delete the stack."""
    pairs = walks.steps(distances)
    first, *rest = walks.circuit(pairs)
    stack.become(**walks.parameters_of(first))
    for state in rest:
        stack.become(**walks.parameters_of(state))
    assert len(rest) == {(1,): 48, (2, 3): 84}[distances]
    stack.delete()


def test_every_single_change_of_backend_authorization_and_explorer(stack: Stack) -> None:
    walk(stack, (1,))


def test_every_change_of_two_or_three_of_them(stack: Stack) -> None:
    walk(stack, (2, 3))


@pytest.mark.parametrize("backend", walks.AXES["ImageSimilarity"])
def test_every_other_parameter_alone_there_and_back(stack: Stack, backend: str) -> None:
    stack.become(ImageSimilarity=backend)
    for name, value in walks.OTHERS.items():
        stack.become(**{name: value})
        stack.become(**{name: stack.defaults[name]})
    for together in walks.TOGETHER:
        stack.become(**together)
        stack.become(**{name: stack.defaults[name] for name in together})
    assert {*walks.AXES, *walks.OTHERS, *(name for pair in walks.TOGETHER for name in pair)} == {
        *stack.defaults
    } - {"SageMakerInstanceType"}
    for kind in stack.template["Parameters"]["SageMakerInstanceType"]["AllowedValues"]:
        if kind != stack.parameters["SageMakerInstanceType"]:
            stack.become(SageMakerInstanceType=kind)
    stack.delete()


def test_random_changes_of_several_parameters(stack: Stack) -> None:
    stack.become()
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
