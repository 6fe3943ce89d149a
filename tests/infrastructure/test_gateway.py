"""The synthesized routes, served by the local gateway: SageMaker's errors, preflights, own answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api_explorer.document import document
from local.template.resolve import resolve
from tests.infrastructure.served import CONTENT_TYPE, CRASH, SAGEMAKER, SLOW, STRAY, call

ORIGIN = "http://127.0.0.1"
ROUTE = f"{ORIGIN}/prod/image-similarity"
JSON = {"Content-Type": "application/json"}
DOCUMENT = document()


def ours(status: int, code: str) -> dict[str, Any]:
    return {"status": status, "error": {"code": code, "message": "Do it differently."}}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "InvalidRequest"),
        (413, "PayloadTooLarge"),
        (415, "UnsupportedMediaType"),
        (500, "InternalError"),
        (503, "Unavailable"),
    ],
)
def test_the_containers_own_error_comes_through(
    template: Mapping[str, Any], tmp_path: Path, status: int, code: str
) -> None:
    answer = call(template, httpx.Request("POST", ROUTE, json=ours(status, code), headers=JSON), tmp_path)
    assert answer.status_code == status
    assert answer.json() == {
        "code": code,
        "message": "Do it differently.",
        "requestId": answer.headers["x-request-id"],
    }
    assert answer.headers.get("retry-after") == ("1" if status == 503 else None)
    check_headers(answer)


@pytest.mark.parametrize("asked", [CRASH, STRAY])
def test_a_broken_container_is_a_bad_gateway_that_tells_nothing(
    template: Mapping[str, Any], tmp_path: Path, asked: str
) -> None:
    answer = call(template, httpx.Request("POST", ROUTE, json=asked, headers=JSON), tmp_path)
    assert (answer.status_code, answer.json()["code"]) == (502, "BadGateway")
    assert answer.json()["requestId"] == answer.headers["x-request-id"]
    check_headers(answer)


def test_no_endpoint_is_a_bad_gateway(template: Mapping[str, Any], tmp_path: Path) -> None:
    request = httpx.Request("POST", ROUTE, json={}, headers={**JSON, "x-test": "no-endpoint"})
    answer = call(template, request, tmp_path)
    assert (answer.status_code, answer.json()["code"]) == (502, "BadGateway")
    check_headers(answer)


def test_a_container_that_is_too_slow_is_a_timeout(template: Mapping[str, Any], tmp_path: Path) -> None:
    answer = call(template, httpx.Request("POST", ROUTE, json=SLOW, headers=JSON), tmp_path, seconds=0.2)
    assert (answer.status_code, answer.json()["code"]) == (504, "Timeout")
    assert answer.headers["access-control-allow-origin"] == "*"


def test_an_answer_comes_through_with_its_timings(template: Mapping[str, Any], tmp_path: Path) -> None:
    answer = call(template, httpx.Request("POST", ROUTE, json={"result": [1]}, headers=JSON), tmp_path)
    assert (answer.status_code, answer.json()) == (200, {"result": [1]})
    assert answer.headers["server-timing"] == "fetch;dur=0.1, decode;dur=2.0, encode;dur=3.0"
    check_headers(answer)


def test_without_a_content_type_sagemaker_is_sent_json(template: Mapping[str, Any], tmp_path: Path) -> None:
    request = httpx.Request("POST", ROUTE, content=json.dumps(CONTENT_TYPE))
    answer = call(template, request, tmp_path, SAGEMAKER)
    assert (answer.status_code, answer.json()) == (200, "application/json")


def test_another_content_type_comes_through_to_be_refused(
    template: Mapping[str, Any], tmp_path: Path
) -> None:
    request = httpx.Request("POST", ROUTE, content=json.dumps(CONTENT_TYPE), headers={"Content-Type": "a/b"})
    assert call(template, request, tmp_path, SAGEMAKER).json() == "a/b"


def test_no_request_is_validated_before_the_backend(template: Mapping[str, Any]) -> None:
    body = template["Resources"]["RestApi"]["Properties"]["Body"]
    assert "request-validator" not in json.dumps(body)
    assert "BAD_REQUEST_PARAMETERS" not in body["x-amazon-apigateway-gateway-responses"]


def check_headers(answer: httpx.Response) -> None:
    assert answer.headers["access-control-allow-origin"] == "*"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"X-Request-Id", "X-Model", "Server-Timing", "Retry-After"} == set(exposed)
    assert answer.headers["x-model"] == "ViT-B-32/laion2b_s34b_b79k"


@pytest.mark.parametrize(
    "path", ["/image-similarity", "/text_similarity", "/", "/api-explorer", "/api-explorer/x.js"]
)
def test_preflights_are_open_also_where_calls_are_signed(
    template: Mapping[str, Any], tmp_path: Path, path: str
) -> None:
    state = {"APIGatewayAuthorization": "AWS_IAM"}
    answer = call(template, httpx.Request("OPTIONS", f"{ORIGIN}/prod{path}"), tmp_path, state)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = set(answer.headers["access-control-allow-headers"].split(","))
    assert {"Content-Type", "Authorization", "X-Amz-Date", "X-Amz-Security-Token"} <= allowed
    assert {"X-Amz-User-Agent", "amz-sdk-invocation-id", "amz-sdk-request", "X-Api-Key"} <= allowed
    methods = answer.headers["access-control-allow-methods"].split(",")
    assert methods == ["POST" if "similarity" in path else "GET", "OPTIONS"]


def test_the_permanent_route_names_the_service(template: Mapping[str, Any], tmp_path: Path) -> None:
    state = {"ImageSimilarity": "no", "APIExplorer": "no"}
    answer = call(template, httpx.Request("GET", f"{ORIGIN}/prod/"), tmp_path, state)
    assert (answer.status_code, answer.json()) == (200, {"service": "image-similarity"})
    assert answer.headers["access-control-allow-origin"] == "*"
    gone = call(template, httpx.Request("POST", ROUTE, json={}), tmp_path, state)
    assert (gone.status_code, gone.json()["code"]) == (403, "Forbidden")


def test_an_unsigned_call_is_refused_in_the_errors_shape(template: Mapping[str, Any], tmp_path: Path) -> None:
    answer = call(
        template, httpx.Request("POST", ROUTE, json={}), tmp_path, {"APIGatewayAuthorization": "AWS_IAM"}
    )
    assert answer.status_code == 403
    assert answer.json().keys() == {"code", "message", "requestId"}
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker", "no"])
def test_every_gateway_response_is_in_the_errors_shape(template: Mapping[str, Any], backend: str) -> None:
    state = {"ImageSimilarity": backend}
    body = resolve(template, state).one("AWS::ApiGateway::RestApi").properties["Body"]
    responses = body["x-amazon-apigateway-gateway-responses"]
    assert {
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "THROTTLED",
        "INTEGRATION_TIMEOUT",
        "INTEGRATION_FAILURE",
    } <= responses.keys()
    known = {"NotFound"}
    for response in DOCUMENT["components"]["responses"].values():
        examples = response["content"]["application/json"]["examples"].values()
        known |= {example["value"].get("code") for example in examples}
    for kind, response in responses.items():
        text = response["responseTemplates"]["application/json"]
        filled = json.loads(
            text.replace("$context.error.messageString", '"told"').replace("$context.requestId", "id")
        )
        assert filled.keys() == {"code", "message", "requestId"}, kind
        assert filled["code"] in known, kind
        assert response["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
    retry = {
        kind
        for kind, response in responses.items()
        if response["responseParameters"].get("gatewayresponse.header.Retry-After") == "'1'"
    }
    full = responses["API_CONFIGURATION_ERROR"]
    assert retry == {"THROTTLED", *(["API_CONFIGURATION_ERROR"] if backend == "yes-lambda" else [])}
    assert full.get("statusCode") == ("503" if backend == "yes-lambda" else None)
