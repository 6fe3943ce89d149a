"""The resources of a stack that its functions call, made in the local cloud as the template describes them.

And the buckets that the stack does not make: on AWS they are there before it.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from typing import Any

from local.backends.cloud.process import CloudProcess
from local.template.identifiers import DerivedIdentifiers
from local.template.intrinsics import Json, as_text
from local.template.resolve import ResolvedStack

Properties = Mapping[str, Json]
FIRST_REGION = "us-east-1"
TABLE_PROPERTIES = ("AttributeDefinitions", "KeySchema", "BillingMode", "LocalSecondaryIndexes")


def held_by_cloud(stack: ResolvedStack) -> bool:
    """Whether the stack has resources that need the local cloud."""
    return any(resource.type in MAKERS for resource in stack.resources.values())


def create(cloud: CloudProcess, stack: ResolvedStack) -> None:
    """Make the stack's resources, each after those that it depends on."""
    made = {name: resource for name, resource in stack.resources.items() if resource.type in MAKERS}
    derive = DerivedIdentifiers(stack.pseudo, {name: resource.type for name, resource in made.items()})
    order = TopologicalSorter({name: made[name].depends_on & made.keys() for name in made})
    for name in order.static_order():
        resource = made[name]
        MAKERS[resource.type](cloud, derive.name(name, resource.properties), resource.properties)


def create_buckets(cloud: CloudProcess, names: Iterable[str]) -> None:
    """Make buckets that send their events to EventBridge."""
    client = cloud.client("s3")
    for name in names:
        where = {"CreateBucketConfiguration": {"LocationConstraint": cloud.region}}
        client.create_bucket(Bucket=name, **(where if cloud.region != FIRST_REGION else {}))
        configuration: dict[str, Any] = {"EventBridgeConfiguration": {}}
        client.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=configuration)


def _vector_bucket(cloud: CloudProcess, name: str, _properties: Properties) -> None:
    cloud.client("s3vectors").create_vector_bucket(vectorBucketName=name)


def _index(cloud: CloudProcess, name: str, properties: Properties) -> None:
    metadata = properties.get("MetadataConfiguration", {})
    cloud.client("s3vectors").create_index(
        vectorBucketArn=properties["VectorBucketArn"],
        indexName=name,
        dataType=properties["DataType"],
        dimension=int(properties["Dimension"]),
        distanceMetric=properties["DistanceMetric"],
        metadataConfiguration={"nonFilterableMetadataKeys": metadata.get("NonFilterableMetadataKeys", [])},
    )


def _queue(cloud: CloudProcess, name: str, properties: Properties) -> None:
    attributes = {
        key: json.dumps(value) if isinstance(value, dict) else as_text(value)
        for key, value in properties.items()
        if key not in ("QueueName", "Tags")
    }
    cloud.client("sqs").create_queue(QueueName=name, Attributes=attributes)


def _table(cloud: CloudProcess, name: str, properties: Properties) -> None:
    given = {key: properties[key] for key in TABLE_PROPERTIES if key in properties}
    cloud.client("dynamodb").create_table(TableName=name, **given)


def _rule(cloud: CloudProcess, name: str, properties: Properties) -> None:
    client = cloud.client("events")
    client.put_rule(Name=name, EventPattern=json.dumps(properties["EventPattern"]))
    targets: Sequence[Properties] = properties["Targets"]
    answer = client.put_targets(Rule=name, Targets=[{"Id": one["Id"], "Arn": one["Arn"]} for one in targets])
    if answer["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge takes no target of {name}: {answer['FailedEntries']}")


MAKERS: Mapping[str, Callable[[CloudProcess, str, Properties], None]] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::S3Vectors::Index": _index,
    "AWS::S3Vectors::VectorBucket": _vector_bucket,
    "AWS::SQS::Queue": _queue,
}
