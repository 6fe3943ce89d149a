"""The roles against what the functions really call: what is missing is a refusal, what is over is a risk."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any
from unittest import mock

import botocore.client
import pytest

from image_similarity.catalogue.messages import Changed, encode
from local.template.resolve import resolve
from tests.support.catalogue.aws import Context, OnAws, adapter, gradient, running

Actions = set[str]
POLLERS = {
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
}  # Lambda's, with the same role
LINES = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords"}
ACTIONS = {
    # operation -> the action it needs, where that has another name
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
}
TRANSACTION = {"Put": "PutItem", "Delete": "DeleteItem", "Update": "UpdateItem"}
CALLER = {"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/ann"}


def needed(service: str, operation: str, parameters: Mapping[str, Any]) -> Actions:
    """What IAM asks for: https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html"""
    if operation == "TransactWriteItems":  # each of its items as if it were a call
        kinds = {kind for item in parameters["TransactItems"] for kind in item}
        return {f"dynamodb:{TRANSACTION[kind]}" for kind in kinds}
    actions = {f"{service}:{ACTIONS.get(operation, operation)}"}
    if operation in ("QueryVectors", "ListVectors") and parameters.get("returnMetadata"):
        actions.add("s3vectors:GetVectors")
    return actions


@contextmanager
def watched() -> Iterator[Actions]:
    """The actions of all that is called meanwhile."""
    actions: Actions = set()
    call: Any = vars(botocore.client.BaseClient)["_make_api_call"]

    def noting(client: Any, operation: str, parameters: Mapping[str, Any]) -> Any:
        actions.update(needed(client.meta.service_model.service_name, operation, parameters))
        return call(client, operation, parameters)

    with mock.patch.object(botocore.client.BaseClient, "_make_api_call", noting):
        yield actions


@pytest.fixture(scope="module")
def aws() -> Iterator[OnAws]:
    with running() as on_aws:
        yield on_aws


@pytest.fixture(scope="module")
def module(aws: OnAws) -> Iterator[ModuleType]:
    with adapter(aws.environment) as module:
        yield module


def granted(template: Mapping[str, Any], role: str) -> Actions:
    stack = resolve(template, {"Catalogue": "yes", "ImageBuckets": "photos"})
    statements = [
        statement
        for policy in stack.resources[role].properties["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    return {action for statement in statements for action in statement["Action"]} - LINES


def ask(module: ModuleType, method: str, path: str, body: object = None) -> int:
    event = {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": {"Content-Type": "application/json"},
        "requestContext": {"requestId": "r", "stage": "prod", "identity": CALLER},
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
    status: int = module.answer(event, Context())["statusCode"]
    return status


def test_the_roles_allow_just_what_the_functions_call(
    template: Mapping[str, Any], aws: OnAws, module: ModuleType
) -> None:
    one, broken, gone = aws.put("one.png", gradient(1)), aws.put("broken.png", b"none"), aws.key("gone.png")
    aws.send(*(encode(Changed(key)) for key in (one, broken, gone)))
    batch = aws.receive()
    with watched() as indexing:
        module.index(batch, Context())
    aws.put("broken.png", gradient(2))
    with watched() as answering:
        assert ask(module, "POST", "/catalogue/search", {"key": one, "links": True}) == 200
        assert ask(module, "POST", "/catalogue/search", {"url": one}) == 200
        assert ask(module, "POST", "/catalogue/sync", {}) == 202
        assert ask(module, "GET", "/catalogue") == 200
    aws.s3.delete_object(Bucket=aws.bucket, Key="one.png")
    aws.send(encode(Changed(one)))
    for milliseconds in (1, 300_000, 300_000, 300_000):  # at first there is no time for anything
        batch = aws.receive()
        with watched() as more:
            module.index(batch, Context(milliseconds))
        indexing |= more
    assert granted(template, "CatalogueIndexRole") == indexing | POLLERS
    assert granted(template, "CatalogueAnswerRole") == answering
