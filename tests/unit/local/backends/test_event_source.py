"""The poller of an event source mapping, on a real queue of the local cloud: what Lambda leaves in it."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import boto3
import pytest

from local.backends.cloud.server import CloudServer
from local.backends.event_source import EventSource, Poller, unfinished
from local.backends.protocols import FunctionFailed

pytestmark = pytest.mark.slow

IDS = ["a", "b", "c"]
ALL = set(IDS)
names = count()


def failures(*identifiers: object) -> str:
    return json.dumps({"batchItemFailures": [{"itemIdentifier": one} for one in identifiers]})


# "Success and failure conditions":
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
REPORTED = {
    "none": (failures(), set()),
    "null": ("null", set()),
    "an empty object": ("{}", set()),
    "a null list": ('{"batchItemFailures": null}', set()),
    "a misspelt list": ('{"batchItemFailure": [{"itemIdentifier": "a"}]}', set()),
    "one": (failures("b"), {"b"}),
    "one twice": (failures("b", "b"), {"b"}),
    "all": (failures(*IDS), ALL),
    "an unknown one": (failures("b", "x"), ALL),
    "an empty one": (failures(""), ALL),
    "a null one": (failures(None), ALL),
    "an object as one": (failures({"a": 1}), ALL),
    "a misspelt one": ('{"batchItemFailures": [{"itemId": "a"}]}', ALL),
    "no object": ('{"batchItemFailures": ["a"]}', ALL),
    "not JSON": ("Task timed out after 3.00 seconds", ALL),
    "an error": ('{"errorMessage": "boom", "errorType": "ValueError"}', ALL),
}


@pytest.mark.parametrize(("answer", "left"), REPORTED.values(), ids=REPORTED)
def test_an_answer_leaves_what_lambda_leaves(answer: str, left: set[str]) -> None:
    assert set(unfinished(answer.encode(), IDS, reports_items=True)) == left


@pytest.mark.parametrize(
    ("answer", "left"),
    [(failures("b"), set()), ("null", set()), ('{"errorMessage": "boom", "errorType": "E"}', ALL)],
)
def test_without_reports_every_answer_but_an_error_finishes_all(answer: str, left: set[str]) -> None:
    assert set(unfinished(answer.encode(), IDS, reports_items=False)) == left


@pytest.fixture(scope="module")
def sqs() -> Iterator[Any]:
    with CloudServer() as cloud:
        yield boto3.client(
            "sqs",
            endpoint_url=cloud.url,
            region_name="us-east-1",
            aws_access_key_id="any",
            aws_secret_access_key="any",
        )


class Function:
    """A function whose answers the test gives; it remembers its events."""

    def __init__(self, answer: Callable[[list[str]], str]) -> None:
        self.answer = answer
        self.events: list[dict[str, Any]] = []

    def __call__(self, payload: bytes) -> bytes:
        self.events.append(json.loads(payload))
        return self.answer([record["messageId"] for record in self.events[-1]["Records"]]).encode()


def mapped(sqs: Any, function: Callable[[bytes], bytes], **given: Any) -> tuple[Poller, str]:
    url = sqs.create_queue(QueueName=f"queue-{next(names)}", Attributes={"VisibilityTimeout": "600"})[
        "QueueUrl"
    ]
    arn = f"arn:aws:sqs:us-east-1:123456789012:{url.rsplit('/', 1)[1]}"
    settings = {"batch": 100, "window_seconds": 0.3, "reports_items": True, **given}
    return Poller(EventSource(url, arn, "index", "us-east-1", **settings), sqs, function), url


def fill(sqs: Any, url: str, number: int) -> None:
    for start in range(0, number, 10):
        entries = [
            {"Id": str(one), "MessageBody": f"m{one}"} for one in range(start, min(start + 10, number))
        ]
        sqs.send_message_batch(QueueUrl=url, Entries=entries)


def counts(sqs: Any, url: str) -> tuple[int, int]:
    """Visible messages, and those that are held."""
    kinds = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=kinds)["Attributes"]
    return int(attributes[kinds[0]]), int(attributes[kinds[1]])


def test_a_batch_is_gathered_over_many_receives(sqs: Any) -> None:
    function = Function(lambda _: failures())
    poller, url = mapped(sqs, function, batch=30, window_seconds=60)
    fill(sqs, url, 60)
    assert [poller.poll(0), poller.poll(0), poller.poll(0)] == [30, 30, 0]
    bodies = [record["body"] for event in function.events for record in event["Records"]]
    assert sorted(bodies) == sorted(f"m{number}" for number in range(60))
    assert counts(sqs, url) == (0, 0)


def test_records_are_as_lambda_writes_them(sqs: Any) -> None:
    function = Function(lambda _: failures())
    poller, url = mapped(sqs, function)
    attributes = {"colour": {"StringValue": "red", "DataType": "String"}}
    sqs.send_message(QueueUrl=url, MessageBody="body", MessageAttributes=attributes)
    poller.poll(0)
    (record,) = function.events[0]["Records"]
    assert record["body"] == "body"
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["attributes"]["SentTimestamp"].isdigit()
    assert record["messageAttributes"]["colour"] == {"stringValue": "red", "dataType": "String"}
    assert (record["eventSource"], record["awsRegion"]) == ("aws:sqs", "us-east-1")
    assert record["eventSourceARN"].endswith(url.rsplit("/", 1)[1])
    assert record["receiptHandle"]
    assert record["md5OfBody"] == "841a2d689ad86bd1611447453c22c6fc"


def test_what_failed_stays_and_is_held_and_the_rest_goes(sqs: Any) -> None:
    poller, url = mapped(sqs, Function(lambda identifiers: failures(*identifiers[:2])))
    fill(sqs, url, 5)
    assert poller.poll(0) == 5
    assert counts(sqs, url) == (0, 2)


def test_a_function_that_fails_keeps_all_for_the_visibility_timeout(sqs: Any) -> None:
    def fails(_: bytes) -> bytes:
        raise FunctionFailed("timed out")

    poller, url = mapped(sqs, fails)
    fill(sqs, url, 5)
    assert poller.poll(0) == 5
    assert counts(sqs, url) == (0, 5)


def test_what_the_function_deleted_itself_is_no_trouble(sqs: Any, caplog: pytest.LogCaptureFixture) -> None:
    def deletes(payload: bytes) -> bytes:
        for record in json.loads(payload)["Records"]:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=record["receiptHandle"])
        return b'{"batchItemFailures": []}'

    poller, url = mapped(sqs, deletes)
    fill(sqs, url, 3)
    assert poller.poll(0) == 3
    assert counts(sqs, url) == (0, 0)
    assert not caplog.records


def test_what_was_received_too_often_is_among_the_dead_letters(sqs: Any) -> None:
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    poller, url = mapped(sqs, Function(lambda identifiers: failures(*identifiers)))
    policy = {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 2}
    attributes = {"RedrivePolicy": json.dumps(policy), "VisibilityTimeout": "0"}
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    fill(sqs, url, 1)
    once, _ = mapped(sqs, Function(lambda _: failures()), window_seconds=0)
    assert once.poll(0) == 0
    for _ in range(4):
        poller.poll(0)
    assert counts(sqs, url) == (0, 0)
    assert counts(sqs, dead) == (1, 0)
