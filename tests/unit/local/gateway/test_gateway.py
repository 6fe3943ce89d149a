"""The gateway over the small template, in process: what API Gateway answers before and after a backend."""

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
import yaml
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.backends.protocols import EndpointAnswer, FunctionFailed
from local.gateway.integrations import Integrations
from local.gateway.openapi import live_stage
from local.gateway.server import MAX_REQUEST_BYTES, Gateway
from local.gateway.signatures import AccessKey
from local.gateway.snapshot import LiveStage
from local.template.resolve import resolve

TEMPLATE = yaml.safe_load((Path(__file__).parents[1] / "template.yaml").read_text())
OPEN = {"APIGatewayAuthorization": "NONE"}
KEY = AccessKey("AKID", "secret", "us-east-1")
ORIGIN = "http://127.0.0.1:8080"
URL = f"{ORIGIN}/prod/image-similarity"


class Function:
    """A function that keeps the events it got and gives one answer."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []

    async def invoke(self, arn: str, payload: bytes) -> bytes:
        assert arn == "arn:aws:lambda:us-east-1:123456789012:function:ImageSimilarity-Function"
        self.events.append(json.loads(payload))
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, float):
            await asyncio.sleep(self.answer)
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


class NoEndpoints:
    async def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        raise AssertionError(f"endpoint {name} was called")


def send(
    request: httpx.Request,
    *,
    answer: object = None,
    parameters: Mapping[str, str] = OPEN,
    function: Function | None = None,
    stage: LiveStage | None = None,
) -> httpx.Response:
    live = stage or live_stage(resolve(TEMPLATE, parameters))
    function = function or Function({"statusCode": 200, "body": "{}"} if answer is None else answer)
    application = Gateway(lambda: live, Integrations(function, NoEndpoints()), KEY).application(lambda: True)

    async def call() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
            return await client.send(request)

    return asyncio.run(call())


Headers = Mapping[str, str] | list[tuple[str, str]]
Content = str | bytes | AsyncIterator[bytes] | None


def post(url: str = URL, content: Content = None, headers: Headers | None = None) -> httpx.Request:
    return httpx.Request("POST", url, content=content, headers=headers)


def test_the_function_gets_a_proxy_event() -> None:
    function = Function({"statusCode": 201, "headers": {"X-One": "1"}, "body": '{"a":"ä"}'})
    headers = [("Content-Type", "application/json"), ("X-Twice", "a"), ("X-Twice", "b")]
    response = send(post(content='{"b":"ö"}', headers=headers, url=f"{URL}?q=1&q=2"), function=function)
    [event] = function.events
    assert event["body"] == '{"b":"ö"}'
    assert event["isBase64Encoded"] is False
    assert event["headers"]["x-twice"] == "b"
    assert event["multiValueHeaders"]["x-twice"] == ["a", "b"]
    assert event["queryStringParameters"] == {"q": "2"}
    assert event["multiValueQueryStringParameters"] == {"q": ["1", "2"]}
    assert event["requestContext"]["requestId"] == response.headers["x-amzn-requestid"]
    assert (event["resource"], event["path"]) == ("/image-similarity", "/image-similarity")
    assert (response.status_code, response.headers["x-one"], response.json()) == (201, "1", {"a": "ä"})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_no_route(method: str) -> None:
    assert send(httpx.Request(method, URL)).status_code == 403


@pytest.mark.parametrize("path", ["/prod/other", "/prod/image-similarity/more", "/prod/image%2Fsimilarity"])
def test_other_paths_are_no_route(path: str) -> None:
    response = send(post(url=ORIGIN + path))
    assert (response.status_code, response.json()) == (403, {"message": "Missing Authentication Token"})
    assert response.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("path", ["/", "/dev/image-similarity", "/image-similarity"])
def test_other_stages_are_forbidden(path: str) -> None:
    response = send(post(url=ORIGIN + path))
    assert (response.status_code, response.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize("path", ["/prod", "/prod/"])
def test_a_mock_answers_by_its_templates(path: str) -> None:
    response = send(httpx.Request("GET", ORIGIN + path))
    assert (response.status_code, response.json()) == (200, {"service": "prod"})
    assert response.headers["x-stack"] == "small"


def test_an_input_that_is_not_known_here_is_a_configuration_error() -> None:
    template = json.loads(json.dumps(TEMPLATE))
    mock_of_root = template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/"]["get"]
    responses = mock_of_root["x-amazon-apigateway-integration"]["responses"]
    responses["default"]["responseTemplates"]["application/json"] = "$input.path('$.a')"
    response = send(httpx.Request("GET", ORIGIN + "/prod"), stage=live_stage(resolve(template, OPEN)))
    assert (response.status_code, response.json()) == (500, {"message": "Internal server error"})


def test_ten_megabytes_is_the_gateways_own_limit() -> None:
    response = send(post(content=bytes(MAX_REQUEST_BYTES + 1)))
    assert (response.status_code, response.text) == (413, "HTTP content length exceeded 10485760 bytes.")
    chunks = [bytes(1024 * 1024)] * 11

    async def chunked() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    assert send(post(content=chunked())).status_code == 413


def test_six_megabytes_is_lambdas_limit() -> None:
    response = send(post(content=b"x" * 6_300_000))
    assert (response.status_code, response.json()) == (413, {"message": "Request Too Long"})


@pytest.mark.parametrize(
    "answer",
    [
        b"Task timed out after 3.00 seconds",
        {"errorMessage": "boom", "errorType": "ValueError"},
        {"statusCode": "many", "body": ""},
        {"statusCode": 200, "body": {"not": "text"}},
        ["a list"],
        None.__class__,
        FunctionFailed("Runtime.ExitError"),
    ],
)
def test_a_function_that_fails_is_a_bad_gateway(answer: object) -> None:
    answer = b"null" if isinstance(answer, type) else answer
    response = send(post(content="{}"), answer=answer)
    assert (response.status_code, response.json()) == (502, {"message": "Internal server error"})


def test_a_slow_function_is_a_gateway_timeout() -> None:
    template = json.loads(json.dumps(TEMPLATE))
    branches = template["Resources"]["Api"]["Properties"]["Body"]["paths"]["/image-similarity"]["Fn::If"]
    branches[1]["post"]["x-amazon-apigateway-integration"]["timeoutInMillis"] = 50
    response = send(post(content="{}"), answer=5.0, stage=live_stage(resolve(template, OPEN)))
    assert (response.status_code, response.json()) == (504, {"message": "Endpoint request timed out"})


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("gzip;q=0.1, deflate", "deflate"),
        ("br", None),
        ("gzip;q=0", None),
        (None, None),
    ],
)
def test_long_answers_are_compressed_as_asked(accepted: str | None, coding: str | None) -> None:
    body = json.dumps(["a"] * 500)
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    request = post(content="{}", headers=headers)
    response = send(request, answer={"statusCode": 200, "body": body})
    assert response.headers.get("content-encoding") == coding
    assert response.text == body


def test_short_answers_are_not_compressed() -> None:
    response = send(post(headers={"Accept-Encoding": "gzip"}), answer={"statusCode": 200, "body": "[]"})
    assert "content-encoding" not in response.headers


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_requests_are_unpacked(coding: str, pack: Callable[[bytes], bytes]) -> None:
    function = Function({"statusCode": 200, "body": ""})
    send(post(content=pack(b'{"a":1}'), headers={"Content-Encoding": coding}), function=function)
    assert function.events[0]["body"] == '{"a":1}'
    assert "content-encoding" not in function.events[0]["headers"]


@pytest.mark.parametrize(
    ("coding", "content", "status"),
    [
        ("br", b"x", 415),
        ("gzip", b"not gzip", 415),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 415),
        ("gzip", gzip.compress(bytes(MAX_REQUEST_BYTES + 1), mtime=0), 413),
    ],
    # compressed bytes hold the time, and workers must agree on the names of tests
    ids=["unknown", "not gzip", "cut off", "too large"],
)
def test_codings_that_do_not_hold_are_refused(coding: str, content: bytes, status: int) -> None:
    assert send(post(content=content, headers={"Content-Encoding": coding})).status_code == status


def test_headers_that_belong_to_the_gateway_are_remapped() -> None:
    answer = {
        "statusCode": 200,
        "headers": {"Server": "mine"},
        "multiValueHeaders": {"X-A": ["1", "2"]},
        "body": "",
    }
    response = send(post(), answer=answer)
    assert response.headers["x-amzn-remapped-server"] == "mine"
    assert response.headers.get_list("x-a") == ["1", "2"]


def test_gateway_responses_shape_every_refusal() -> None:
    template = json.loads(json.dumps(TEMPLATE))
    template["Resources"]["Api"]["Properties"]["Body"]["x-amazon-apigateway-gateway-responses"] = {
        "MISSING_AUTHENTICATION_TOKEN": {
            "responseParameters": {"gatewayresponse.header.X-Cors": "'*'"},
            "responseTemplates": {
                "application/json": '{"id":"$context.requestId","text":$context.error.messageString}'
            },
        },
        "DEFAULT_5XX": {"statusCode": "599", "responseTemplates": {"application/json": '{"code":"x"}'}},
    }
    stage = live_stage(resolve(template, OPEN))
    missing = send(httpx.Request("GET", URL), stage=stage)
    assert missing.json() == {
        "id": missing.headers["x-amzn-requestid"],
        "text": "Missing Authentication Token",
    }
    assert (missing.status_code, missing.headers["x-cors"]) == (403, "*")
    failed = send(post(), stage=stage, answer=FunctionFailed("x"))
    assert (failed.status_code, failed.json()) == (599, {"code": "x"})


def test_a_request_validator_insists_on_headers() -> None:
    template = json.loads(json.dumps(TEMPLATE))
    body = template["Resources"]["Api"]["Properties"]["Body"]
    body["x-amazon-apigateway-request-validators"] = {"parameters": {"validateRequestParameters": True}}
    operation = body["paths"]["/image-similarity"]["Fn::If"][1]["post"]
    operation["x-amazon-apigateway-request-validator"] = "parameters"
    operation["parameters"] = [{"name": "Content-Type", "in": "header", "required": True}]
    stage = live_stage(resolve(template, OPEN))
    refused = send(post(content="{}"), stage=stage)
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Missing required request parameters: [Content-Type]"},
    )
    assert send(post(content="{}", headers={"Content-Type": "a/b"}), stage=stage).status_code == 200


# AWS_IAM


def signed(
    key: AccessKey = KEY, *, url: str = URL, service: str = "execute-api", when: timedelta = timedelta(0)
) -> httpx.Request:
    request = AWSRequest("POST", url, data=b'{"a":1}', headers={"Content-Type": "application/json"})
    credentials = Credentials(key.key_id, key.secret, key.session_token)
    with mock.patch("botocore.auth.get_current_datetime", return_value=datetime.now(UTC) + when):
        SigV4Auth(credentials, service, key.region).add_auth(request)
    return httpx.Request("POST", url, headers=dict(request.headers.items()), content=request.data)


@pytest.mark.parametrize("url", [URL, f"{URL}?b=2&a=1&a=0&empty=", f"{URL}/?x=%2F%20"])
def test_a_signed_request_passes(url: str) -> None:
    assert send(signed(url=url), parameters={}).status_code == 200


@pytest.mark.parametrize("authorization", ["AWS_IAM", "NONE"])
def test_a_function_is_told_who_has_signed_where_a_signature_is_wanted(authorization: str) -> None:
    function = Function({"statusCode": 200, "body": ""})
    parameters = {"APIGatewayAuthorization": authorization}
    assert send(signed(), function=function, parameters=parameters).status_code == 200
    [event] = function.events
    identity = event["requestContext"]["identity"]
    named = {name: identity[name] for name in ("accessKey", "accountId", "caller", "user", "userArn")}
    if authorization == "NONE":
        assert set(named.values()) == {None}
    else:
        assert named["accessKey"] == "AKID"
        assert named["userArn"] == f"arn:aws:iam::{named['accountId']}:user/local"


def test_a_presigned_url_passes_until_it_expires() -> None:
    request = AWSRequest("POST", URL)
    SigV4QueryAuth(Credentials(KEY.key_id, KEY.secret), "execute-api", KEY.region, expires=60).add_auth(
        request
    )
    assert send(httpx.Request("POST", str(request.url)), parameters={}).status_code == 200
    assert send(httpx.Request("POST", f"{request.url}0"), parameters={}).status_code == 403
    with mock.patch(
        "botocore.auth.get_current_datetime", return_value=datetime.now(UTC) - timedelta(seconds=90)
    ):
        late = AWSRequest("POST", URL)
        SigV4QueryAuth(Credentials(KEY.key_id, KEY.secret), "execute-api", KEY.region, expires=60).add_auth(
            late
        )
    assert send(httpx.Request("POST", str(late.url)), parameters={}).status_code == 403


def refused_requests() -> dict[str, httpx.Request]:
    """Made when they are sent: a request from the future comes of age while other tests run."""
    return {
        "unsigned": httpx.Request("POST", URL, content="{}"),
        "wrong key id": signed(AccessKey("OTHER", "secret", "us-east-1")),
        "wrong secret": signed(AccessKey("AKID", "other", "us-east-1")),
        "wrong region": signed(AccessKey("AKID", "secret", "eu-west-1")),
        "unknown session token": signed(AccessKey("AKID", "secret", "us-east-1", "token")),
        "wrong service": signed(service="s3"),
        "old": signed(when=timedelta(minutes=-6)),
        "from the future": signed(when=timedelta(minutes=6)),
        "not SigV4": httpx.Request("POST", URL, headers={"Authorization": "Bearer abc"}),
        "half a header": httpx.Request(
            "POST", URL, headers={"Authorization": "AWS4-HMAC-SHA256 Credential=AKID/x"}
        ),
    }


@pytest.mark.parametrize("name", refused_requests())
def test_everything_else_is_refused(name: str) -> None:
    function = Function({"statusCode": 200, "body": ""})
    response = send(refused_requests()[name], parameters={}, function=function)
    assert response.status_code == 403
    assert response.json()["message"]
    assert not function.events


@pytest.mark.parametrize("change", ["body", "header", "query", "host", "date", "hash"])
def test_what_was_signed_may_not_change(change: str) -> None:
    request = signed()
    headers = dict(request.headers)
    content, url = request.content, URL
    if change == "body":
        content = b'{"a":2}'
        headers["content-length"] = str(len(content))
    elif change == "header":
        headers["content-type"] = "text/plain"
    elif change == "query":
        url += "?a=1"
    elif change == "host":
        headers["host"] = "elsewhere"
    elif change == "date":
        headers["x-amz-date"] = (datetime.now(UTC) - timedelta(seconds=7)).strftime("%Y%m%dT%H%M%SZ")
    else:
        headers["x-amz-content-sha256"] = "0" * 64
    assert (
        send(httpx.Request("POST", url, headers=headers, content=content), parameters={}).status_code == 403
    )


def test_the_health_page_says_whether_it_is_ready() -> None:
    gateway = Gateway(lambda: None, Integrations(Function(b""), NoEndpoints()))

    async def call(*, ready: bool) -> int:
        transport = httpx.ASGITransport(gateway.application(lambda: ready))
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN) as client:
            return (await client.get("/healthz")).status_code

    assert [asyncio.run(call(ready=ready)) for ready in (True, False)] == [200, 503]
