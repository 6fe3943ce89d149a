"""The catalogue's functions as the stack starts them: the Lambda image with another command."""

import json
from collections.abc import Iterator

import pytest

from tests.container.adapters import lambda_container
from tests.container.conftest import Images
from tests.support.catalogue.aws import OnAws, running
from tests.support.world import picture


@pytest.fixture(scope="module")
def aws() -> Iterator[OnAws]:
    with running() as on_aws:
        yield on_aws


def test_a_picture_is_indexed_by_one_function_and_found_by_the_other(images: Images, aws: OnAws) -> None:
    key = aws.put("cat.jpg", picture())
    aws.send(json.dumps({"changed": key}), "unreadable")
    records = aws.receive()["Records"]
    [unreadable] = [one["messageId"] for one in records if one["body"] == "unreadable"]
    with lambda_container(images, aws.environment, handler="catalogue.index") as function:
        assert function.invoke
        answer = function.invoke({"Records": records})
        assert answer == {"batchItemFailures": [{"itemIdentifier": unreadable}]}, function.logs()
    with lambda_container(images, aws.environment, handler="catalogue.answer") as function:
        assert function.invoke
        event = {"httpMethod": "POST", "resource": "/catalogue/search", "body": json.dumps({"key": key})}
        answer = function.invoke(event)
        assert answer["statusCode"] == 200, function.logs()
        [match] = json.loads(answer["body"])["matches"]
        assert (match["key"], match["similarity"]) == (key, 1.0)
