"""SQS: queues and their policies."""

import json
from collections.abc import Mapping

from local.template.intrinsics import Json, as_text
from local.template.policies import PolicyError, check, listed
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, tag_map

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
RANGES = {
    "DelaySeconds": (0, 900),
    "MaximumMessageSize": (1024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
SSE_KMS, SSE_SQS, REDRIVE = "KmsMasterKeyId", "SqsManagedSseEnabled", "RedrivePolicy"
KNOWN = {*RANGES, SSE_KMS, SSE_SQS, REDRIVE, "QueueName", "Tags"}


class QueueProvider:
    """AWS::SQS::Queue."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        queue = properties.get("QueueName", name)
        # For 60 seconds, API_CreateQueue (QueueDeletedRecently): here for ever, as there is no time.
        if queue in cloud.deleted_queues:
            raise ProviderFailed(
                "You must wait 60 seconds after deleting a queue before you can create another with the same "
                "name."
            )
        attributes = _attributes(cloud, properties)
        answer = cloud.call(
            "sqs", "create_queue", QueueName=queue, Attributes=attributes, tags=tag_map(properties)
        )
        url = answer["QueueUrl"]
        return Physical(url, queue, {"Arn": arn(cloud, url), "QueueName": queue, "QueueUrl": url})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        gone = {SSE_KMS: ""} if SSE_KMS in before and SSE_KMS not in after else {}
        kept = cloud.call("sqs", "get_queue_attributes", QueueUrl=physical.ref, AttributeNames=["Policy"])
        # moto takes away the policy with every call that does not give it.
        attributes = {**kept.get("Attributes", {}), **_attributes(cloud, after), **gone}
        cloud.call("sqs", "set_queue_attributes", QueueUrl=physical.ref, Attributes=attributes)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("sqs", "delete_queue", QueueUrl=physical.ref)
        cloud.deleted_queues.add(physical.name)


class QueuePolicyProvider:
    """AWS::SQS::QueuePolicy: SetQueueAttributes, which overwrites."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _put(cloud, properties)
        return Physical(name, name)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _put(cloud, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        for url in properties["Queues"]:
            cloud.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": ""})


def arn(cloud: Cloud, url: str) -> str:
    """The ARN of a queue."""
    answer = cloud.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _put(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    """Set the policy. Refuse what can't be judged when it is used: SQS takes it, and calls fail later."""
    try:
        check(listed(properties["PolicyDocument"]["Statement"]))
    except PolicyError as error:
        raise ProviderFailed(str(error)) from error
    text = json.dumps(properties["PolicyDocument"])
    for url in properties["Queues"]:
        cloud.call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": text})


def _attributes(cloud: Cloud, properties: Mapping[str, Json]) -> dict[str, str]:
    """The properties as SQS takes them, after its refusals."""
    if unknown := properties.keys() - KNOWN:
        raise ProviderFailed(f"{sorted(unknown)} of a queue are not modelled here.")
    for name, (least, most) in RANGES.items():
        if name in properties and not least <= int(properties[name]) <= most:
            raise ProviderFailed(f"Invalid value for the parameter {name}.")
    if SSE_KMS in properties and as_text(properties.get(SSE_SQS, False)) == "true":
        raise ProviderFailed(
            "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE "
            "or SQS SSE."
        )
    attributes = {
        name: as_text(value) for name, value in properties.items() if name in {*RANGES, SSE_KMS, SSE_SQS}
    }
    redrive = properties.get(REDRIVE)
    if redrive is None:
        return attributes
    if redrive["deadLetterTargetArn"] not in {arn(cloud, url) for url in _urls(cloud)}:
        raise ProviderFailed(
            f"Value {json.dumps(redrive)} for parameter RedrivePolicy is invalid. Reason: Dead letter target "
            "does not exist."
        )
    return attributes | {REDRIVE: json.dumps(redrive)}


def _urls(cloud: Cloud) -> list[str]:
    return list(cloud.call("sqs", "list_queues").get("QueueUrls", []))
