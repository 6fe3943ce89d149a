"""The whole table of the contract through both images."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

import pytest

from tests.container.adapters import Container, lambda_container, sagemaker_container
from tests.container.conftest import Images
from tests.contract.cases import CASES
from tests.contract.test_contract import (  # noqa: F401 - collected here again, with this file's `call`
    ask,
    numbers,
    test_answers,
    test_every_way_to_send_a_pair_gives_the_same_similarity,
    test_every_way_to_send_a_picture_gives_the_same_vector,
    test_refuses_and_says_what_to_do,
    test_the_same_picture_twice_is_exactly_one,
    words,
)
from tests.support.adapters import Call
from tests.support.world import World

CONTAINERS: dict[str, Callable[[Images, Mapping[str, str]], AbstractContextManager[Container]]] = {
    "lambda": lambda_container,
    "sagemaker": sagemaker_container,
}


@pytest.fixture(scope="module", params=CONTAINERS)
def call(request: pytest.FixtureRequest, images: Images, world: World) -> Iterator[Call]:
    with CONTAINERS[request.param](images, world.environment) as container:
        yield container.call


def test_both_images_give_equal_answers(images: Images, world: World) -> None:
    with (
        lambda_container(images, world.environment) as one,
        sagemaker_container(images, world.environment) as other,
    ):
        for case in CASES:
            here, there = ask(one.call, case, world), ask(other.call, case, world)
            assert here.status == there.status, case.name
            assert numbers(here.json) == pytest.approx(numbers(there.json), abs=1e-5), case.name
            assert words(here.json) == words(there.json), case.name
