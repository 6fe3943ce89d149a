"""The catalogue's calls: every row of the contract, through the Lambda adapter and the local cloud."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from botocore.exceptions import ClientError
from openapi_schema_validator import OAS30Validator

from api_explorer.document import FEATURES, document
from image_similarity.catalogue.index import TransientError
from image_similarity.catalogue.ledger_dynamodb import DynamoLedger
from image_similarity.catalogue.messages import Listing, decode
from image_similarity.catalogue.s3_vectors import S3VectorsIndex
from image_similarity.catalogue.sqs import SqsQueue
from tests.contract.test_contract import check_headers
from tests.support.adapters import REQUEST_ID, Answer, proxy_answer
from tests.support.catalogue.aws import OnAws, adapter, index_waiting, running
from tests.support.world import b64, picture

CALLER = {"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/ann", "caller": "AIDA"}
OPEN = {"accountId": None, "userArn": None, "caller": None, "sourceIp": "192.0.2.1"}
JSON = {"Content-Type": "application/json"}
CAT, FLIPPED, ASTRONAUT = "cats/chelsea ü+%20.jpg", "cats/small.png", "people/astronaut.jpg"
Ask = Callable[..., Answer]
DOCUMENT = document(FEATURES)


def event(
    method: str, path: str, body: object, headers: Mapping[str, str], identity: object
) -> dict[str, Any]:
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {"requestId": REQUEST_ID, "stage": "prod", "identity": identity},
        "body": body if isinstance(body, str) or body is None else json.dumps(body),
        "isBase64Encoded": False,
    }


@pytest.fixture(scope="module")
def aws() -> Iterator[OnAws]:
    with running() as on_aws:
        yield on_aws


@pytest.fixture(scope="module")
def module(aws: OnAws) -> Iterator[ModuleType]:
    with adapter(aws.environment) as module:
        aws.put(CAT, picture())
        aws.put(FLIPPED, picture("chelsea", "PNG", (160, 120)))
        aws.put(ASTRONAUT, picture("astronaut"))
        aws.put("broken.jpg", b"no picture")
        aws.s3.put_object(Bucket=aws.album, Key="coffee.png", Body=picture("coffee", "PNG"))
        parts, _ = module._indexing()
        module._sync(parts).start()
        index_waiting(aws, module)
        yield module


@pytest.fixture
def ask(module: ModuleType) -> Ask:
    def ask(
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] = JSON,
        identity: object = OPEN,
    ) -> Answer:
        response = module.answer(event(method, path, body, headers, identity), None)
        assert response["isBase64Encoded"] is False
        answer = proxy_answer(response)
        check_headers(answer)
        check_described(method, path, answer)
        if answer.status < 300:
            assert answer.headers["server-timing"]
            assert answer.headers["x-request-id"] == REQUEST_ID
        else:
            assert answer.json.keys() == {"code", "message", "requestId"}
            assert answer.json["requestId"] == answer.headers["x-request-id"] == REQUEST_ID
        return answer

    return ask


def check_described(method: str, path: str, answer: Answer) -> None:
    """The answer is one that the OpenAPI document describes, where it has the call."""
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    if operation is None or path == "/":
        return
    [name] = re.findall(r"responses/(.*)", operation["responses"][str(answer.status)]["$ref"])
    schema = DOCUMENT["components"]["responses"][name]["content"]["application/json"]["schema"]
    validator = OAS30Validator({**schema, "components": DOCUMENT["components"]})
    validator.validate(answer.json)


@pytest.fixture
def search(ask: Ask) -> Ask:
    return partial(ask, "POST", "/catalogue/search")


@pytest.fixture
def signed(search: Ask) -> Ask:
    return partial(search, identity=CALLER)


def names(aws: OnAws, answer: Answer) -> list[str]:
    assert answer.status == 200, answer.content
    assert answer.json.keys() == {"matches", "complete"}
    return [one["key"].removeprefix(f"s3://{aws.bucket}/") for one in answer.json["matches"]]


def subjects(aws: OnAws) -> list[dict[str, str]]:
    cat = b64(picture())
    return [
        {"img": cat},
        {"img": f"data:image/jpeg;base64,{cat}"},
        {"url": f"data:image/jpeg;base64,{cat}"},
        {"url": aws.key(CAT)},
        {"key": aws.key(CAT)},
    ]


def test_every_way_to_search_for_a_picture_finds_it_first(aws: OnAws, search: Ask) -> None:
    answers = [search(subject).json for subject in subjects(aws)]
    assert all(answer == answers[0] for answer in answers)
    first, second, *others = answers[0]["matches"]
    state = aws.s3.head_object(Bucket=aws.bucket, Key=CAT)
    assert first == {
        "key": aws.key(CAT),
        "similarity": 1.0,
        "size": len(picture()),
        "modified": state["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "etag": state["ETag"],
    }
    assert second["key"] == aws.key(FLIPPED)
    assert 0.7 < second["similarity"] < 1
    assert len(others) == 2
    scores = [one["similarity"] for one in answers[0]["matches"]]
    assert scores == sorted(scores, reverse=True)
    assert all(score == round(score, 6) for score in scores)


def test_steps_are_timed(aws: OnAws, search: Ask) -> None:
    def steps(subject: dict[str, str]) -> list[str]:
        return [step.partition(";dur=")[0] for step in search(subject).headers["server-timing"].split(", ")]

    assert steps({"img": b64(picture())}) == ["fetch", "decode", "encode", "search"]
    assert steps({"key": aws.key(CAT)}) == ["search"]


def test_a_limit_a_least_similarity_and_a_prefix(aws: OnAws, search: Ask) -> None:
    key = {"key": aws.key(CAT)}
    assert names(aws, search(key | {"limit": 1})) == [CAT]
    assert names(aws, search(key | {"limit": 100})) == names(aws, search(key))
    second = search(key).json["matches"][1]["similarity"]
    assert names(aws, search(key | {"min_similarity": second})) == [CAT, FLIPPED]
    assert names(aws, search(key | {"min_similarity": second + 0.000001})) == [CAT]
    assert names(aws, search(key | {"min_similarity": 1})) == [CAT]
    assert names(aws, search(key | {"prefix": aws.key("people/")})) == [ASTRONAUT]
    album = search(key | {"prefix": f"s3://{aws.album}/"}).json["matches"]
    assert [one["key"] for one in album] == [f"s3://{aws.album}/coffee.png"]
    assert names(aws, search(key | {"prefix": aws.key("nothing/")})) == []


@pytest.mark.parametrize("path", ["/catalogue/search", "/catalogue/sync"])
@pytest.mark.parametrize("other", ["others-{0}", "photos-{0}0", "photos", "photos-{0}.eu"])
def test_a_prefix_outside_of_all_buckets(aws: OnAws, ask: Ask, path: str, other: str) -> None:
    """That nothing has it would be true, and taken for an answer."""
    bucket = other.format(aws.digits)
    before = aws.waiting()
    body = {"prefix": f"s3://{bucket}/cats/"} | ({"img": "QUJD"} if path.endswith("search") else {})
    answer = ask("POST", path, body, identity=CALLER)
    assert (answer.status, answer.json["code"]) == (400, "InvalidRequest")
    assert answer.json["message"] == (
        f'prefix: "{bucket}" is no bucket of this catalogue; it has {aws.bucket}, {aws.album}. '
        "Name one of these, or send no prefix."
    )
    assert aws.waiting() == before


def test_a_key_outside_of_all_buckets(aws: OnAws, search: Ask) -> None:
    answer = search({"key": f"s3://others-{aws.digits}/a.jpg"})
    assert (answer.status, answer.json["code"]) == (404, "NotFound")
    assert answer.json["message"] == (
        f'key: "others-{aws.digits}" is no bucket of this catalogue; it has {aws.bucket}, {aws.album}. '
        "Send a key as matches have it."
    )


def test_no_content_type_counts_as_json(aws: OnAws, search: Ask) -> None:
    for headers in ({}, {"Content-Type": ""}):
        assert names(aws, search({"key": aws.key(CAT), "limit": 1}, headers=headers)) == [CAT]


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ("{", 400, "InvalidRequest", "not JSON"),
        ("", 400, "InvalidRequest", "not JSON"),
        (None, 400, "InvalidRequest", "not JSON"),
        ("[]", 400, "InvalidRequest", 'an array, not an object. Send one of "url", "img", "key"'),
        ('{"url": "a", "url": "b"}', 400, "InvalidRequest", "more than once"),
        ({}, 400, "InvalidRequest", "Nothing to search by"),
        ({"url": "https://example.com/", "key": "s3://b/k"}, 400, "InvalidRequest", "url and key"),
        ({"picture": "x"}, 400, "InvalidRequest", 'Unknown field "picture": a search has url'),
        ({"img": None}, 400, "InvalidRequest", "img: found null"),
        ({"text": "a cat"}, 400, "InvalidRequest", "text: the model .* has no text tower"),
        ({"text": ""}, 400, "InvalidRequest", "text: empty"),
        ({"img": "QUJD", "limit": 0}, 400, "InvalidRequest", "limit: found 0"),
        ({"img": "QUJD", "limit": 101}, 400, "InvalidRequest", "limit: found 101"),
        ({"img": "QUJD", "limit": True}, 400, "InvalidRequest", "limit: found true"),
        ({"img": "QUJD", "min_similarity": 1.5}, 400, "InvalidRequest", "min_similarity: found 1.5"),
        ({"img": "QUJD", "prefix": "cats/"}, 400, "InvalidRequest", "prefix: expected s3://"),
        ({"img": "QUJD", "prefix": "s3://photos/" + "x" * 1100}, 400, "InvalidRequest", "prefix: .*1093"),
        ('{"img": "QUJD", "prefix": "s3://photos/\\ud800"}', 400, "InvalidRequest", "prefix: half of"),
        ('{"key": "s3://photos/\\ud800"}', 400, "InvalidRequest", "key: half of a surrogate"),
        ({"img": "QUJD", "links": "yes"}, 400, "InvalidRequest", "links: found a string"),
        ({"img": "QUJD"}, 400, "InvalidImage", "img: "),
        ({"img": "not base64"}, 400, "InvalidImage", "img: not base64"),
        ({"url": "ftp://example.com/a.jpg"}, 400, "SourceNotAllowed", "url: "),
        ({"url": "http://127.0.0.1/a.jpg"}, 400, "SourceNotAllowed", "url: "),
        ({"url": "s3://other/a.jpg"}, 400, "SourceNotAllowed", "url: not a bucket"),
        ({"img": b64(picture("chelsea", "PNG", (4097, 8)))}, 400, "ImageTooLarge", "img: .*4096"),
        ({"key": "s3://others/a.jpg"}, 404, "NotFound", 'key: "others" is no bucket'),
        ({"key": "chelsea.jpg"}, 404, "NotFound", "key: .*s3://bucket/key"),
        (" " * (5 * 1024**2 + 1), 413, "PayloadTooLarge", "5242881 bytes"),
    ],
)
def test_what_a_search_refuses(search: Ask, body: object, status: int, code: str, message: str) -> None:
    answer = search(body)
    assert (answer.status, answer.json["code"]) == (status, code), answer.content
    assert re.search(message, answer.json["message"]), answer.json["message"]


def test_another_content_type(search: Ask) -> None:
    answer = search("{", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.json["code"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize("name", ["cats/none.jpg", "broken.jpg", "x" * 1500])
def test_a_key_that_is_not_indexed(aws: OnAws, search: Ask, name: str) -> None:
    answer = search({"key": aws.key(name)})
    assert (answer.status, answer.json["code"]) == (404, "NotFound")
    assert answer.json["message"].startswith("key: ")


def test_links_are_for_signed_callers(aws: OnAws, search: Ask, signed: Ask) -> None:
    body = {"key": aws.key(CAT), "limit": 2, "links": True}
    assert all("link" not in one for one in search(body).json["matches"])
    assert all("link" not in one for one in signed(body | {"links": False}).json["matches"])
    matches = signed(body).json["matches"]
    for match in matches:
        url = urlsplit(match["link"])
        query = parse_qs(url.query)
        assert 0 < int(query["X-Amz-Expires"][0]) <= 900
        assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
        assert query["X-Amz-SignedHeaders"] == ["host"]
    got = httpx.get(matches[0]["link"], trust_env=False, timeout=60)
    assert got.content == picture()


@pytest.mark.parametrize(
    ("identity", "trusted", "known"),
    [
        (OPEN, "", False),
        ({}, "", False),
        (None, "", False),
        (CALLER, "", True),
        ({"accountId": "123456789012"}, "", True),
        ({"userArn": "arn:aws:sts::123456789012:assumed-role/r/s"}, "", True),
        ({"accountId": "", "userArn": ""}, "", False),
        ({"apiKey": "key", "cognitoIdentityId": "id", "user": "ann"}, "", False),
        (OPEN, "yes", True),
        (OPEN, "no", False),
        (None, "yes", True),
    ],
)
def test_who_is_known(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, identity: object, trusted: str, known: bool
) -> None:
    monkeypatch.setenv("CATALOGUE_TRUSTED", trusted)
    assert ("failures" in ask("GET", "/catalogue", identity=identity).json) is known
    assert (ask("POST", "/catalogue/sync", identity=identity).status == 202) is known


def test_a_status(aws: OnAws, ask: Ask) -> None:
    known = ask("GET", "/catalogue", identity=CALLER).json
    assert known["model"] == ask("GET", "/catalogue").headers["x-model"]
    assert known["buckets"] == [aws.bucket, aws.album]
    assert known["failed"] == 1
    assert known["complete"] is False
    assert known["pending"] >= 1  # the sync's last step
    assert known["lastSync"].keys() == {"id", "state", "prefix", "started", "ended", "listed", "queued"}
    assert known["lastSync"]["state"] == "running"
    [failure] = known.pop("failures")
    assert failure["key"] == aws.key("broken.jpg")
    assert "JPEG" in failure["message"]
    assert ask("GET", "/catalogue").json == known


def test_complete_is_said_by_search_and_status(aws: OnAws, module: ModuleType, ask: Ask, search: Ask) -> None:
    parts, _ = module._indexing()
    last = parts.ledger.sync()
    done = replace(last, outcome="done", ended=last.started + 60)
    assert parts.ledger.save(done, last)
    assert ask("GET", "/catalogue").json["complete"] is True
    assert search({"key": aws.key(CAT)}).json["complete"] is True
    assert parts.ledger.save(last, done)


def test_one_sync_runs_at_a_time(aws: OnAws, ask: Ask) -> None:
    sync = partial(ask, "POST", "/catalogue/sync", identity=CALLER)
    first = sync()
    assert first.status == 202
    assert first.json.keys() == {"id", "state", "prefix", "started", "ended", "listed", "queued"}
    waiting = aws.waiting()
    for body in (None, "", {}, {"prefix": aws.key("cats/")}):
        assert sync(body).json == first.json
    assert aws.waiting() == waiting
    assert ask("GET", "/catalogue").json["lastSync"] == first.json


def test_a_sync_of_a_prefix_begins_where_none_runs(module: ModuleType, aws: OnAws, ask: Ask) -> None:
    aws.table.delete_item(Key={"kind": "sync", "id": "last"})
    aws.receive()
    answer = ask("POST", "/catalogue/sync", {"prefix": aws.key("cats/")}, identity=CALLER)
    assert (answer.status, answer.json["state"]) == (202, "running")
    assert answer.json["prefix"] == aws.key("cats/")
    [record] = aws.receive()["Records"]
    assert decode(record["body"]) == Listing(answer.json["id"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("[]", 'an array, not an object. Send nothing, or an object with "prefix".'),
        ({"bucket": "photos"}, 'Unknown field "bucket": a sync has prefix.'),
        ({"prefix": "cats/"}, "prefix: expected s3://"),
        ({"prefix": None}, "prefix: found null"),
        (" ", "not JSON"),
    ],
)
def test_what_a_sync_refuses(ask: Ask, body: object, message: str) -> None:
    answer = ask("POST", "/catalogue/sync", body, identity=CALLER)
    assert (answer.status, answer.json["code"]) == (400, "InvalidRequest")
    assert message in answer.json["message"]


def test_a_sync_that_is_not_signed_begins_nothing(aws: OnAws, ask: Ask) -> None:
    before = aws.waiting(), aws.table.scan()["Items"]
    for body in (None, {"prefix": 3}):
        answer = ask("POST", "/catalogue/sync", body)
        assert (answer.status, answer.json["code"]) == (403, "Forbidden")
        assert "SigV4" in answer.json["message"]
    assert (aws.waiting(), aws.table.scan()["Items"]) == before


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/catalogue/search"), ("POST", "/catalogue"), ("GET", "/")]
)
def test_another_call(ask: Ask, method: str, path: str) -> None:
    answer = ask(method, path)
    assert (answer.status, answer.json["code"]) == (404, "NotFound")


def refusal(code: str, status: int) -> ClientError:
    told = {"Error": {"Code": code, "Message": "arn:aws:iam::123456789012:role/Secret is not authorized"}}
    return ClientError({**told, "ResponseMetadata": {"HTTPStatusCode": status}}, "QueryVectors")  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("part", "method", "path"),
    [
        ((S3VectorsIndex, "vector"), "POST", "/catalogue/search"),
        ((S3VectorsIndex, "query"), "POST", "/catalogue/search"),
        ((DynamoLedger, "completed"), "POST", "/catalogue/search"),
        ((DynamoLedger, "sync"), "GET", "/catalogue"),
        ((SqsQueue, "depth"), "GET", "/catalogue"),
        ((DynamoLedger, "sync"), "POST", "/catalogue/sync"),
    ],
)
def test_what_aws_refuses(
    aws: OnAws,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    part: tuple[type, str],
    method: str,
    path: str,
) -> None:
    def raising(error: Exception) -> Callable[..., None]:
        def call(*_: object, **__: object) -> None:
            raise error

        return call

    body = {"key": aws.key(CAT)} if path.endswith("search") else None
    monkeypatch.setattr(*part, raising(TransientError("S3 Vectors: TooManyRequestsException")))
    throttled = ask(method, path, body, identity=CALLER)
    assert (throttled.status, throttled.json["code"]) == (503, "Unavailable")
    assert int(throttled.headers["retry-after"]) >= 1
    monkeypatch.setattr(*part, raising(refusal("AccessDeniedException", 403)))
    denied = ask(method, path, body, identity=CALLER)
    assert (denied.status, denied.json["code"]) == (500, "InternalError")
    for answer in (throttled, denied):
        assert not {"arn:", "Secret", "Vectors", "Error:"} & set(answer.json["message"].split())
        assert "arn:aws" not in answer.content.decode()
    assert caplog.records[-1].exc_info


def test_a_run_whose_first_step_could_not_be_queued_is_taken_up_by_the_next_call(
    aws: OnAws, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.table.delete_item(Key={"kind": "sync", "id": "last"})
    send = SqsQueue.send

    def throttled(*_: object, **__: object) -> None:
        raise TransientError("SQS: RequestThrottled")

    monkeypatch.setattr(SqsQueue, "send", throttled)
    assert ask("POST", "/catalogue/sync", identity=CALLER).status == 503
    monkeypatch.setattr(SqsQueue, "send", send)
    aws.receive()
    answer = ask("POST", "/catalogue/sync", identity=CALLER)
    assert answer.status == 202
    assert [decode(one["body"]) for one in aws.receive()["Records"]] == [Listing(answer.json["id"])]


@pytest.mark.parametrize("changes", [{"body": 7}, {"headers": 7}, {"requestContext": 7}, {"resource": None}])
def test_a_defect_tells_nothing(module: ModuleType, changes: dict[str, Any]) -> None:
    response = module.answer(event("POST", "/catalogue/search", {}, JSON, OPEN) | changes, None)
    assert response["statusCode"] in {404, 500}
    assert "Traceback" not in response["body"]
    assert set(json.loads(response["body"])) == {"code", "message", "requestId"}


def test_a_call_leaves_one_line_of_metrics(
    aws: OnAws, search: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    search({"key": aws.key(CAT)})
    search({"img": "QUJD"})
    good, bad = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert (good["call"], good["Searches"], good["Errors"], good["Code"]) == ("search", 1, 0, "OK")
    assert (bad["Searches"], bad["Errors"], bad["Code"]) == (1, 1, "InvalidImage")
    assert [one["Dimensions"] for one in bad["_aws"]["CloudWatchMetrics"]] == [
        [["Stack", "Backend"]],
        [["Stack", "Backend", "Code"]],
    ]
    for line in (good, bad):
        assert (line["Stack"], line["Backend"], line["requestId"]) == ("a-stack", "catalogue", REQUEST_ID)
        assert line["Latency"] > 0
        for directive in line["_aws"]["CloudWatchMetrics"]:
            assert all(isinstance(line[one["Name"]], int | float) for one in directive["Metrics"])
        assert aws.bucket not in json.dumps(line)


def test_pictures_of_a_bucket_that_is_followed_no_more_are_not_shown(aws: OnAws, module: ModuleType) -> None:
    with adapter({**aws.environment, "IMAGE_BUCKETS": aws.album}) as fewer:
        body = {"key": f"s3://{aws.album}/coffee.png"}
        response = fewer.answer(event("POST", "/catalogue/search", body, JSON, OPEN), None)
        matches = json.loads(response["body"])["matches"]
        assert [one["key"] for one in matches] == [f"s3://{aws.album}/coffee.png"]
        gone = fewer.answer(event("POST", "/catalogue/search", {"key": aws.key(CAT)}, JSON, OPEN), None)
        assert gone["statusCode"] == 404
