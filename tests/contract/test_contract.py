"""The whole table of cases through every way into the service, and the same answers from all of them."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from typing import Any

import pytest

from tests.contract.cases import BATCHES, CASES, ERRORS, PAIRS, SAME_TWICE, VECTORS, Case
from tests.support.adapters import REQUEST_ID, Answer, Call, gateway, lambda_handler, sagemaker_server
from tests.support.world import World, running_world

ADAPTERS: dict[str, Callable[[Mapping[str, str]], AbstractContextManager[Call]]] = {
    "lambda": lambda_handler,
    "sagemaker": sagemaker_server,
    "gateway to lambda": partial(gateway, "yes-lambda"),
    "gateway to sagemaker": partial(gateway, "yes-sagemaker"),
}
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_world() as world:
        yield world


@pytest.fixture(scope="module", params=ADAPTERS)
def call(request: pytest.FixtureRequest, world: World) -> Iterator[Call]:
    with ADAPTERS[request.param](world.environment) as call:
        yield call


def ask(call: Call, case: Case, world: World) -> Answer:
    return call(case.body(world), case.headers)


@pytest.mark.parametrize("case", [case for case in CASES if case not in ERRORS], ids=lambda case: case.name)
def test_answers(call: Call, case: Case, world: World) -> None:
    answer = ask(call, case, world)
    assert answer.status == 200, answer.content
    check_headers(answer)
    assert re.fullmatch(
        r"fetch;dur=[\d.]+, decode;dur=[\d.]+, encode;dur=[\d.]+", answer.headers["server-timing"]
    )
    if "similarity" in answer.json:
        assert answer.json.keys() == {"similarity"}
        assert 0 <= answer.json["similarity"] <= 1
    else:
        check_vector(answer.json)


@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case.name)
def test_refuses_and_says_what_to_do(call: Call, case: Case, world: World) -> None:
    answer = ask(call, case, world)
    assert (answer.status, answer.json["code"]) == (case.status, case.code), answer.content
    assert answer.json.keys() == {"code", "message", "requestId"}
    assert re.search(case.message, answer.json["message"]), answer.json["message"]
    assert "secret" not in answer.json["message"]
    assert answer.json["requestId"] == answer.headers["x-request-id"]
    assert answer.headers.get("x-amzn-requestid", REQUEST_ID) == answer.headers["x-request-id"]
    check_headers(answer)


@pytest.mark.parametrize("headers", [{}, {"Content-Type": ""}], ids=["none", "empty"])
def test_no_content_type_counts_as_json(headers: dict[str, str], call: Call, world: World) -> None:
    answer = call(VECTORS[0].body(world), headers)
    assert answer.status == 200, answer.content
    check_vector(answer.json)
    refused = call(b"{}", headers)
    assert (refused.status, refused.json["code"]) == (400, "InvalidRequest")


@pytest.mark.parametrize(("case", "codes"), BATCHES, ids=lambda value: getattr(value, "name", ""))
def test_batches_are_answered_image_by_image(call: Call, case: Case, codes: list[str], world: World) -> None:
    answer = ask(call, case, world)
    assert answer.status == 200, answer.content
    check_headers(answer)
    steps = r"fetch;dur=[\d.]+(, decode;dur=[\d.]+)?(, encode;dur=[\d.]+)?"
    assert re.fullmatch(steps, answer.headers["server-timing"])
    assert answer.json.keys() == {"results"}
    results = answer.json["results"]
    assert [result.get("error", {}).get("code", "") for result in results] == codes
    vector = ask(call, VECTORS[0], world).json["result"]
    for index, result in enumerate(results):
        if "error" in result:
            assert result.keys() == {"error"}
            assert result["error"].keys() == {"code", "message"}
            assert result["error"]["message"].startswith((f"images[{index}].img: ", f"images[{index}].url: "))
        else:
            check_vector(result)
            assert result["result"] == pytest.approx(vector, abs=TOLERANCE)


def test_every_way_to_send_a_picture_gives_the_same_vector(call: Call, world: World) -> None:
    vectors = [ask(call, case, world).json["result"] for case in VECTORS]
    assert all(vector == vectors[0] for vector in vectors)


def test_every_way_to_send_a_pair_gives_the_same_similarity(call: Call, world: World) -> None:
    similarities = {case.name: ask(call, case, world).json["similarity"] for case in PAIRS}
    assert len(set(similarities.values())) == 1, similarities


@pytest.mark.parametrize("case", SAME_TWICE, ids=lambda case: case.name)
def test_the_same_picture_twice_is_exactly_one(call: Call, case: Case, world: World) -> None:
    assert ask(call, case, world).json == {"similarity": 1.0}


def test_adapters_give_equal_answers(world: World) -> None:
    with ExitStack() as stack:
        calls = [stack.enter_context(adapter(world.environment)) for adapter in ADAPTERS.values()]
        for case in [*CASES, *(case for case, _ in BATCHES)]:
            first, *others = [ask(call, case, world) for call in calls]
            for other in others:
                assert first.status == other.status, case.name
                assert numbers(first.json) == pytest.approx(numbers(other.json), abs=TOLERANCE), case.name
                assert words(first.json) == words(other.json), case.name


def check_headers(answer: Answer) -> None:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-model"]
    assert answer.headers["access-control-allow-origin"] == "*"
    for name in ("X-Request-Id", "X-Model", "Server-Timing"):
        assert name in answer.headers["access-control-expose-headers"]


def check_vector(body: dict[str, Any]) -> None:
    assert body.keys() == {"result"}
    assert len(body["result"]) == 512
    assert sum(number**2 for number in body["result"]) == pytest.approx(1, abs=1e-4)
    assert all(number == round(number, 6) for number in body["result"])


def numbers(body: dict[str, Any]) -> list[float]:
    if "results" in body:
        return [number for result in body["results"] for number in numbers(result)]
    return body.get("result", [body.get("similarity", 0.0)])


def words(body: dict[str, Any]) -> dict[str, Any]:
    """The texts of an answer but for its id."""
    if "results" in body:
        return {str(index): result.get("error") for index, result in enumerate(body["results"])}
    return {name: body[name] for name in ("code", "message") if name in body}
