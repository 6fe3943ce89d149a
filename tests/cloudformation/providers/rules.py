"""EventBridge: rules with queues as targets, and what becomes of an event."""

import json
import re
from collections.abc import Iterator, Mapping

from local.gateway.permissions import EVENTS
from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed
from tests.cloudformation.providers.policies import permissions

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
NAME = re.compile(r"[.\-_A-Za-z0-9]{1,64}")
PATTERN_CHARACTERS = 2048  # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
KNOWN = {"Description", "EventPattern", "Name", "State", "Tags", "Targets"}
TARGET = {"Arn", "DeadLetterConfig", "Id", "RetryPolicy"}


class RuleProvider:
    """AWS::Events::Rule on the default bus."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        rule = properties.get("Name", name)
        if not NAME.fullmatch(rule):
            raise ProviderFailed(f"1 validation error detected: {rule} is no name of a rule")
        if rule in {item["Name"] for item in cloud.client("events").list_rules()["Rules"]}:
            raise ProviderFailed(f"{rule} already exists")
        arn = _put(cloud, rule, properties)
        return Physical(rule, rule, {"Arn": arn})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _put(cloud, physical.name, after)
        kept = {target["Id"] for target in after["Targets"]}
        gone = [target["Id"] for target in before["Targets"] if target["Id"] not in kept]
        if gone:
            cloud.call("events", "remove_targets", Rule=physical.name, Ids=gone)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        ids = [target["Id"] for target in properties["Targets"]]
        cloud.call("events", "remove_targets", Rule=physical.name, Ids=ids)
        cloud.call("events", "delete_rule", Name=physical.name)


def _put(cloud: Cloud, rule: str, properties: Mapping[str, Json]) -> str:
    unknown = (properties.keys() - KNOWN) | {
        name for target in properties["Targets"] for name in target.keys() - TARGET
    }
    if unknown:
        raise ProviderFailed(f"{sorted(unknown)} of a rule are not modelled here.")
    pattern = json.dumps(properties["EventPattern"], separators=(",", ":"))
    if len(pattern) > PATTERN_CHARACTERS:
        raise ProviderFailed(f"Event pattern exceeds {PATTERN_CHARACTERS} characters")
    if "[]" in pattern:
        raise ProviderFailed("Event pattern is not valid. Reason: Empty arrays are not allowed")
    state = properties.get("State", "ENABLED")
    answer = cloud.call("events", "put_rule", Name=rule, EventPattern=pattern, State=state)
    cloud.call("events", "put_targets", Rule=rule, Targets=properties["Targets"])
    return str(answer["RuleArn"])


def refused(cloud: Cloud) -> Iterator[str]:
    """Why events of the rules that exist don't reach a queue; nothing where all do.

    What a target refuses is not sent again but goes to the rule's dead letters, and is lost where that queue
    refuses too: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html
    """
    client = cloud.client("events")
    for rule in client.list_rules()["Rules"]:
        for target in client.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            for queue in (target["Arn"], target["DeadLetterConfig"]["Arn"]):
                yield from _refusals(cloud, rule["Arn"], queue)


def _refusals(cloud: Cloud, rule: str, queue: str) -> Iterator[str]:
    client, name = cloud.client("sqs"), queue.rsplit(":", 1)[-1]
    try:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        yield f"{name} does not exist"
        return
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    if not permissions(cloud).may_send(EVENTS, queue, rule):
        yield f"{name} lets {rule} send nothing"
    # A queue's key must let EventBridge use it: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-troubleshooting.html
    key = attributes.get("KmsMasterKeyId")
    if key and key not in cloud.event_keys:
        yield f"{key} of {name} lets EventBridge encrypt nothing"


def matched(cloud: Cloud, event: Mapping[str, Json]) -> list[str]:
    """Names of the rules that an event matches, patterns of lists of values alone."""
    return [
        rule["Name"]
        for rule in cloud.client("events").list_rules()["Rules"]
        if _matches(json.loads(rule["EventPattern"]), event)
    ]


def _matches(pattern: Json, event: Json) -> bool:
    if isinstance(pattern, Mapping):
        return isinstance(event, Mapping) and all(
            name in event and _matches(value, event[name]) for name, value in pattern.items()
        )
    return event in pattern
