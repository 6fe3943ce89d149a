"""What AWS refuses of vectors, queues, rules, tables and mappings, as the engine's providers refuse it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

import pytest

from local.template.identifiers import PseudoParameters
from local.template.intrinsics import ResolveError
from tests.cloudformation.engine import Engine, Outcome
from tests.cloudformation.providers import PROVIDERS, Cloud, Physical, ProviderFailed
from tests.cloudformation.providers.gaps import mocked_services
from tests.cloudformation.providers.rules import matched, refused
from tests.infrastructure.account import CREDENTIALS, LOG_KEYS, REGION, empty_zip

Properties = dict[str, Any]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
RECEIVE = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
INDEX: Properties = {"DataType": "float32", "Dimension": 512, "DistanceMetric": "cosine"}


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock.patch.dict("os.environ", CREDENTIALS), mocked_services():
        yield Cloud(REGION, event_keys=LOG_KEYS)


def make(cloud: Cloud, kind: str, name: str = "made", **properties: Any) -> Physical:
    return PROVIDERS[f"AWS::{kind}"].create(cloud, name, properties)


def delete(cloud: Cloud, kind: str, physical: Physical, **properties: Any) -> None:
    PROVIDERS[f"AWS::{kind}"].delete(cloud, physical, properties)


# Vectors


@pytest.mark.parametrize("name", ["Pictures", "pictures_1", "a", "-pictures", "p" * 64])
def test_vector_buckets_and_indexes_have_small_names(cloud: Cloud, name: str) -> None:
    with pytest.raises(ProviderFailed, match="no name of a vector bucket"):
        make(cloud, "S3Vectors::VectorBucket", VectorBucketName=name)
    bucket = make(cloud, "S3Vectors::VectorBucket", VectorBucketName="vectors")
    with pytest.raises(ProviderFailed, match="no name of an index"):
        make(cloud, "S3Vectors::Index", VectorBucketArn=bucket.ref, IndexName=name, **INDEX)


def test_an_index_of_other_properties_needs_another_name(cloud: Cloud) -> None:
    """A replacement is made before the old one goes: under the same name it collides."""
    bucket = make(cloud, "S3Vectors::VectorBucket", VectorBucketName="vectors")
    given = {"VectorBucketArn": bucket.ref, "IndexName": "pictures"}
    first = make(cloud, "S3Vectors::Index", **given, **INDEX)
    assert first.ref == first.attributes["IndexArn"] == f"{bucket.ref}/index/pictures"
    with pytest.raises(ProviderFailed, match="ConflictException"):
        make(cloud, "S3Vectors::Index", **given, **{**INDEX, "Dimension": 256})
    make(cloud, "S3Vectors::Index", **{**given, "IndexName": "pictures-2"}, **INDEX)


def test_a_vector_bucket_with_an_index_is_not_deleted(cloud: Cloud) -> None:
    bucket = make(cloud, "S3Vectors::VectorBucket", VectorBucketName="vectors")
    index = make(cloud, "S3Vectors::Index", VectorBucketArn=bucket.ref, IndexName="pictures", **INDEX)
    with pytest.raises(ProviderFailed, match="not empty"):
        delete(cloud, "S3Vectors::VectorBucket", bucket)
    delete(cloud, "S3Vectors::Index", index)
    delete(cloud, "S3Vectors::VectorBucket", bucket)
    assert cloud.client("s3vectors").list_vector_buckets()["vectorBuckets"] == []


def test_a_region_without_the_type_refuses_the_template_whatever_its_conditions(cloud: Cloud) -> None:
    template = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Bucket": {"Type": "AWS::S3Vectors::VectorBucket", "Condition": "Never"}},
    }
    assert Engine(cloud, PseudoParameters(region=REGION)).deploy(template, {}) == Outcome("CREATE_COMPLETE")
    elsewhere = Engine(cloud, PseudoParameters(region="il-central-1"))
    with pytest.raises(ResolveError, match=r"Unrecognized resource types.*VectorBucket"):
        elsewhere.deploy(template, {})


# Queues


def test_a_deleted_queues_name_is_not_free_at_once(cloud: Cloud) -> None:
    queue = make(cloud, "SQS::Queue", QueueName="fixed")
    delete(cloud, "SQS::Queue", queue)
    with pytest.raises(ProviderFailed, match="wait 60 seconds"):
        make(cloud, "SQS::Queue", QueueName="fixed")
    make(cloud, "SQS::Queue", "stack-Queue-00002")


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"MessageRetentionPeriod": 1209601}, "MessageRetentionPeriod"),
        ({"VisibilityTimeout": "43201"}, "VisibilityTimeout"),
        ({"DelaySeconds": 901}, "DelaySeconds"),
        ({"KmsMasterKeyId": LOG_KEYS[0], "SqsManagedSseEnabled": True}, "one type of server-side encryption"),
        (
            {"RedrivePolicy": {"deadLetterTargetArn": "arn:aws:sqs:us-east-1:1:x", "maxReceiveCount": 5}},
            "Dead letter target does not exist",
        ),
    ],
)
def test_queues_that_are_refused(cloud: Cloud, properties: Properties, message: str) -> None:
    with pytest.raises(ProviderFailed, match=message):
        make(cloud, "SQS::Queue", **properties)


def test_a_queue_keeps_its_policy_and_changes_its_key(cloud: Cloud) -> None:
    before: Properties = {"SqsManagedSseEnabled": True}
    after: Properties = {"KmsMasterKeyId": LOG_KEYS[0], "SqsManagedSseEnabled": False}
    queue = make(cloud, "SQS::Queue", **before)
    make(cloud, "SQS::QueuePolicy", Queues=[queue.ref], PolicyDocument=TRUST)
    for one, other in ((before, after), (after, before)):
        PROVIDERS["AWS::SQS::Queue"].update(cloud, queue, one, other)
        answer = cloud.client("sqs").get_queue_attributes(QueueUrl=queue.ref, AttributeNames=["All"])
        attributes = answer["Attributes"]
        assert json.loads(attributes["Policy"]) == TRUST
        assert (attributes.get("KmsMasterKeyId") or None) == other.get("KmsMasterKeyId")


# Rules


def rule(queue: Physical, **properties: Any) -> Properties:
    arn = queue.attributes["Arn"]
    target = {"Id": "Queue", "Arn": arn, "DeadLetterConfig": {"Arn": arn}}
    return {"Name": "events", "EventPattern": {"source": ["aws.s3"]}, "Targets": [target], **properties}


@pytest.mark.parametrize(
    ("properties", "message"),
    [
        ({"Name": "a/b"}, "no name of a rule"),
        ({"Name": "a" * 65}, "no name of a rule"),
        ({"EventPattern": {"source": ["aws.s3"] * 300}}, "exceeds 2048 characters"),
        ({"EventPattern": {"source": []}}, "Empty arrays are not allowed"),
    ],
)
def test_rules_that_are_refused(cloud: Cloud, properties: Properties, message: str) -> None:
    with pytest.raises(ProviderFailed, match=message):
        make(cloud, "Events::Rule", **rule(make(cloud, "SQS::Queue"), **properties))


def allowing(cloud: Cloud, queue: Physical, source: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue.attributes["Arn"],
        "Condition": {"ArnEquals": {"aws:SourceArn": source}},
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    make(cloud, "SQS::QueuePolicy", Queues=[queue.ref], PolicyDocument=document)


def test_events_are_refused_by_a_queue_that_does_not_let_this_rule_send(cloud: Cloud) -> None:
    queue = make(cloud, "SQS::Queue")
    made = make(cloud, "Events::Rule", **rule(queue))
    assert [text.split(" ", 1)[1] for text in refused(cloud)] == [
        f"lets {made.attributes['Arn']} send nothing"
    ] * 2
    allowing(cloud, queue, made.attributes["Arn"] + "-2")
    assert list(refused(cloud))
    allowing(cloud, queue, made.attributes["Arn"])
    assert list(refused(cloud)) == []


def test_events_are_refused_by_a_queue_whose_key_is_not_eventbridges_to_use(cloud: Cloud) -> None:
    queue = make(cloud, "SQS::Queue", KmsMasterKeyId=LOG_KEYS[0] + "0")
    allowing(cloud, queue, make(cloud, "Events::Rule", **rule(queue)).attributes["Arn"])
    assert {text.rsplit(" lets ")[1] for text in refused(cloud)} == {"EventBridge encrypt nothing"}


def test_a_name_of_nothing_matches_nothing(cloud: Cloud) -> None:
    """What Fn::Split makes of an empty parameter."""
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [""]}}}
    make(cloud, "Events::Rule", **rule(make(cloud, "SQS::Queue"), EventPattern=pattern))
    assert matched(cloud, {"source": "aws.s3", "detail": {"bucket": {"name": "photos"}}}) == []


# Event source mappings


def function(cloud: Cloud, actions: list[str], trust: Mapping[str, Any] = TRUST) -> str:
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}],
    }
    role = make(
        cloud,
        "IAM::Role",
        "role",
        AssumeRolePolicyDocument=trust,
        Policies=[{"PolicyName": "queue", "PolicyDocument": document}],
    )
    made = make(
        cloud,
        "Lambda::Function",
        "indexer",
        Runtime="python3.13",
        Handler="index.handler",
        Code={"ZipFile": empty_zip()},
        Role=role.attributes["Arn"],
        Timeout=300,
    )
    return made.ref


def mapping(queue: Physical, name: str, **changed: Any) -> Properties:
    given = {
        "EventSourceArn": queue.attributes["Arn"],
        "FunctionName": name,
        "BatchSize": 100,
        "MaximumBatchingWindowInSeconds": 20,
        "ScalingConfig": {"MaximumConcurrency": "2"},
    }
    return {key: value for key, value in (given | changed).items() if value is not None}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"MaximumBatchingWindowInSeconds": None}, "batch window in seconds must be greater than 0"),
        ({"BatchSize": 10_001}, "too large"),
        ({"MaximumBatchingWindowInSeconds": 301}, "too large"),
        ({"ScalingConfig": {"MaximumConcurrency": "1"}}, "MaximumConcurrency must be 2 to 1000"),
        ({"ScalingConfig": {"MaximumConcurrency": "1001"}}, "MaximumConcurrency must be 2 to 1000"),
    ],
)
def test_mappings_that_are_refused(cloud: Cloud, changed: Properties, message: str) -> None:
    queue, name = make(cloud, "SQS::Queue", VisibilityTimeout=1820), function(cloud, RECEIVE)
    with pytest.raises(ProviderFailed, match=message):
        make(cloud, "Lambda::EventSourceMapping", **mapping(queue, name, **changed))
    made = make(cloud, "Lambda::EventSourceMapping", **mapping(queue, name))
    with pytest.raises(ProviderFailed, match="already exists"):
        make(cloud, "Lambda::EventSourceMapping", **mapping(queue, name))
    delete(cloud, "Lambda::EventSourceMapping", made)


def test_a_queue_may_not_show_again_what_a_function_still_works_on(cloud: Cloud) -> None:
    queue, name = make(cloud, "SQS::Queue", VisibilityTimeout=299), function(cloud, RECEIVE)
    with pytest.raises(ProviderFailed, match="299 seconds is less than Function timeout: 300 seconds"):
        make(cloud, "Lambda::EventSourceMapping", **mapping(queue, name))


@pytest.mark.parametrize("action", RECEIVE)
def test_a_role_that_cant_read_the_queue_is_refused(cloud: Cloud, action: str) -> None:
    queue = make(cloud, "SQS::Queue", VisibilityTimeout=1820)
    name = function(cloud, [one for one in RECEIVE if one != action])
    with pytest.raises(ProviderFailed, match=f"permissions to call {action[4:]} on SQS"):
        make(cloud, "Lambda::EventSourceMapping", **mapping(queue, name))


def test_a_role_that_cant_use_the_queues_key_is_refused(cloud: Cloud) -> None:
    queue = make(cloud, "SQS::Queue", VisibilityTimeout=1820, KmsMasterKeyId=LOG_KEYS[0])
    with pytest.raises(ProviderFailed, match="permissions to call Decrypt on KMS"):
        make(cloud, "Lambda::EventSourceMapping", **mapping(queue, function(cloud, RECEIVE)))


def test_pollers_are_not_known_to_say_for_which_account_they_work(cloud: Cloud) -> None:
    account = {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    trust = {**TRUST, "Statement": [{**TRUST["Statement"][0], "Condition": account}]}  # type: ignore[dict-item]
    queue = make(cloud, "SQS::Queue", VisibilityTimeout=1820)
    with pytest.raises(ProviderFailed, match="cannot be assumed by Lambda"):
        make(cloud, "Lambda::EventSourceMapping", **mapping(queue, function(cloud, RECEIVE, trust)))
