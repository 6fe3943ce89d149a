"""What the services must show of the catalogue, written from the contract and not from the template."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.cloudformation.providers.mappings import VIA
from tests.cloudformation.providers.rules import matched, refused
from tests.infrastructure.account import Account
from tests.infrastructure.wanted_containers import (
    check_environment,
    check_interfaces,
    listed,
    objects,
    readable,
    reserved,
)

Parameters = Mapping[str, str]
Found = Mapping[str, Sequence[str]]
DAYS = 24 * 3600
KEPT = {
    "AWS::DynamoDB::Table": 1,
    "AWS::Events::Rule": 1,
    "AWS::S3Vectors::Index": 1,
    "AWS::S3Vectors::VectorBucket": 1,
    "AWS::SQS::Queue": 2,
    "AWS::SQS::QueuePolicy": 2,
}
COMMANDS = {"catalogue.index": 300, "catalogue.answer": 28}  # with their time-outs
INDEX_ACTIONS = {
    "s3vectors:DeleteVectors",
    "s3vectors:GetVectors",
    "s3vectors:ListVectors",
    "s3vectors:PutVectors",
}
ANSWER_ACTIONS = {"s3vectors:GetVectors", "s3vectors:QueryVectors"}


def serves_catalogue(parameters: Parameters) -> bool:
    """Whether its functions and routes are there."""
    return parameters["Catalogue"] == "yes" and parameters["ImageSimilarity"] != "no"


def of_catalogue(function: Mapping[str, Any]) -> bool:
    """Whether it is one of the catalogue's functions."""
    return "CATALOGUE_QUEUE_URL" in function.get("Environment", {}).get("Variables", {})


def check_catalogue(account: Account, parameters: Parameters, found: Found) -> None:
    """Assert what is there of the catalogue, and that events of its buckets reach the queue."""
    kept, serving = parameters["Catalogue"] != "no", serves_catalogue(parameters)
    assert {kind: len(found.get(kind, [])) for kind in KEPT} == {
        kind: count if kept else 0 for kind, count in KEPT.items()
    }
    assert len(found.get("AWS::Lambda::EventSourceMapping", [])) == serving
    if kept:
        _check_queues(account, parameters)
        _check_events(account, parameters)
    if serving:
        _check_functions(account, parameters, found)


def _queues(account: Account) -> dict[str, dict[str, str]]:
    """Attributes of each queue by URL."""
    client = account.client("sqs")
    return {
        url: client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for url in client.list_queues()["QueueUrls"]
    }


def _main(account: Account) -> dict[str, str]:
    """Attributes of the queue that has dead letters, its URL included."""
    [(url, attributes)] = [item for item in _queues(account).items() if "RedrivePolicy" in item[1]]
    return {"url": url, **attributes}


def _check_queues(account: Account, parameters: Parameters) -> None:
    main = _main(account)
    dead = json.loads(main["RedrivePolicy"])["deadLetterTargetArn"]
    for attributes in _queues(account).values():
        assert attributes["MessageRetentionPeriod"] == str(14 * DAYS)
        assert (attributes.get("KmsMasterKeyId") or "") == parameters["KmsKeyArn"]
        assert attributes["SqsManagedSseEnabled"] == ("false" if parameters["KmsKeyArn"] else "true")
    assert int(main["VisibilityTimeout"]) >= 6 * COMMANDS["catalogue.index"]
    assert dead in {attributes["QueueArn"] for attributes in _queues(account).values()}


def _check_events(account: Account, parameters: Parameters) -> None:
    """Events of all listed buckets and no other match the rule, and nothing refuses them."""
    assert list(refused(account.cloud)) == []
    for bucket in (*listed(parameters["ImageBuckets"]), "of-somebody-else"):
        for kind in ("Object Created", "Object Deleted", "Object Restore Completed", "Object Tags Added"):
            event = {
                "source": "aws.s3",
                "account": "123456789012",
                "detail-type": kind,
                "detail": {"bucket": {"name": bucket}, "object": {"key": "a+b %41.jpg"}},
            }
            wanted = bucket != "of-somebody-else" and kind != "Object Tags Added"
            assert len(matched(account.cloud, event)) == wanted, event


def _check_functions(account: Account, parameters: Parameters, found: Found) -> None:
    functions = [
        item for item in account.client("lambda").list_functions()["Functions"] if of_catalogue(item)
    ]
    by_command = {item["ImageConfigResponse"]["ImageConfig"]["Command"][0]: item for item in functions}
    assert {command: item["Timeout"] for command, item in by_command.items()} == COMMANDS
    main, [table], [index] = _main(account), found["AWS::DynamoDB::Table"], found["AWS::S3Vectors::Index"]
    for function in functions:
        variables = function["Environment"]["Variables"]
        check_environment(variables, parameters)
        assert variables["CATALOGUE_INDEX_ARN"] == index
        assert (variables["CATALOGUE_TABLE"], variables["CATALOGUE_QUEUE_URL"]) == (table, main["url"])
        assert function["MemorySize"] == int(parameters["LambdaMemorySize"])
        assert function.get("VpcConfig", {}).get("SubnetIds", []) == listed(parameters["SubnetIds"])
        check_interfaces(account, function["Role"], parameters)
        assert readable(account, function["Role"]) == objects(parameters)
        for service, may_use in (("sqs", bool(parameters["KmsKeyArn"])), ("s3", False), ("", False)):
            via = {VIA: f"{service}.us-east-1.amazonaws.com"} if service else {}
            key = parameters["KmsKeyArn"]
            assert account.permissions.may_on(function["Role"], "kms:Decrypt", key, **via) == may_use
    indexer, answerer = (by_command[command] for command in ("catalogue.index", "catalogue.answer"))
    assert sorted(account.cloud.recursive) == [indexer["FunctionName"]]
    ceiling = int(parameters["LambdaMaxConcurrency"]) if parameters["LambdaMaxConcurrency"] else None
    assert [reserved(account, function) for function in (indexer, answerer)] == [None, ceiling]
    _check_vectors(account, index, {indexer["Role"]: INDEX_ACTIONS, answerer["Role"]: ANSWER_ACTIONS})
    _check_mapping(account, parameters, indexer, main["QueueArn"])


def _check_vectors(account: Account, index: str, actions: Mapping[str, set[str]]) -> None:
    """Each role may do its own on this index, and nothing on another."""
    for role, wanted in actions.items():
        may = {
            action
            for action in INDEX_ACTIONS | ANSWER_ACTIONS
            if account.permissions.may_on(role, action, index)
        }
        assert may == wanted
        assert not account.permissions.may_on(role, "s3vectors:GetVectors", index + "-2")


def _check_mapping(account: Account, parameters: Parameters, indexer: Mapping[str, Any], queue: str) -> None:
    [properties] = account.cloud.mappings.values()
    concurrency = int(properties["ScalingConfig"]["MaximumConcurrency"])
    assert concurrency == int(parameters["CatalogueConcurrency"])
    assert properties["FunctionName"] == indexer["FunctionName"]
    assert properties["EventSourceArn"] == queue
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
