"""Lambda: event source mappings of queues."""

from collections.abc import Mapping

from local.gateway.permissions import POLLERS
from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, tag_map
from tests.cloudformation.providers.gaps import unmap
from tests.cloudformation.providers.policies import permissions

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
BATCH, LARGEST_BATCH, LONGEST_WINDOW = 10, 10_000, 300
CONCURRENCY = (2, 1000)
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
NEEDED = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
# What SQS says when it uses a queue's key for a caller, as the policy of its own key asks for:
# https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
VIA = "kms:ViaService"
KNOWN = {
    *("BatchSize", "EventSourceArn", "FunctionName", "FunctionResponseTypes"),
    *("MaximumBatchingWindowInSeconds", "ScalingConfig", "Tags"),
}


class EventSourceMappingProvider:
    """AWS::Lambda::EventSourceMapping of a queue."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _check(cloud, properties)
        queue, function = properties["EventSourceArn"], properties["FunctionName"]
        for mapping in cloud.client("lambda").list_event_source_mappings()["EventSourceMappings"]:
            same = mapping["FunctionArn"].rsplit(":", 1)[-1] == function
            if same and mapping["EventSourceArn"] == queue:
                raise ProviderFailed(
                    f'The event source arn (" {queue} ") and function (" {function} ") provided mapping '
                    "already exists. Please update or delete the existing mapping with UUID "
                    f"{mapping['UUID']}"
                )
        answer = cloud.call(
            "lambda", "create_event_source_mapping", **{**properties, "Tags": tag_map(properties)}
        )
        cloud.mappings[answer["UUID"]] = properties
        unmap(cloud.region, queue.rsplit(":", 1)[-1], answer["UUID"])
        return Physical(answer["UUID"], answer["UUID"], {"Id": answer["UUID"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _check(cloud, after)
        given = {name: value for name, value in after.items() if name not in {"EventSourceArn", "Tags"}}
        cloud.call("lambda", "update_event_source_mapping", UUID=physical.name, **given)
        cloud.mappings[physical.name] = after

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("lambda", "delete_event_source_mapping", UUID=physical.name)
        del cloud.mappings[physical.name]


def _check(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    """Refuse what Lambda refuses."""
    if unknown := properties.keys() - KNOWN:
        raise ProviderFailed(f"{sorted(unknown)} of a mapping are not modelled here.")
    batch, window = (int(properties.get(name, 0)) for name in ("BatchSize", "MaximumBatchingWindowInSeconds"))
    if batch > BATCH and not window:
        raise ProviderFailed(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than "
            f"{BATCH}"
        )
    if batch > LARGEST_BATCH or window > LONGEST_WINDOW:
        raise ProviderFailed("1 validation error detected: batch size or batching window is too large")
    concurrency = int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", CONCURRENCY[0]))
    if not CONCURRENCY[0] <= concurrency <= CONCURRENCY[1]:
        raise ProviderFailed(f"MaximumConcurrency must be {CONCURRENCY[0]} to {CONCURRENCY[1]}")
    function = cloud.call("lambda", "get_function_configuration", FunctionName=properties["FunctionName"])
    attributes = _queue(cloud, properties["EventSourceArn"])
    # https://github.com/mongodb/docs-worker-pool/pull/878: the words; cfn-lint says nothing
    visibility, timeout = int(attributes["VisibilityTimeout"]), function["Timeout"]
    if visibility < timeout:
        raise ProviderFailed(
            f"Queue visibility timeout: {visibility} seconds is less than Function timeout: {timeout} seconds"
        )
    _check_role(cloud, function["Role"], properties["EventSourceArn"], attributes.get("KmsMasterKeyId"))


def _check_role(cloud: Cloud, role: str, queue: str, key: str | None) -> None:
    """Refuse a role with which the pollers can't work: https://github.com/aws-amplify/amplify-cli/issues/4759.

    That they are refused without the queue's key too is modelled at its worst: nothing is told of it.
    """
    may = permissions(cloud)
    if not may.may_assume(POLLERS, role):
        raise ProviderFailed("The function execution role cannot be assumed by Lambda.")
    needs = [(f"sqs:{name}", queue) for name in NEEDED] + ([("kms:Decrypt", key)] if key else [])
    for action, resource in needs:
        if not may.may_on(role, action, resource, **{VIA: f"sqs.{cloud.region}.amazonaws.com"}):
            raise ProviderFailed(
                "The function execution role does not have permissions to call "
                f"{action.partition(':')[2]} on {action.partition(':')[0].upper()}"
            )


def _queue(cloud: Cloud, arn: str) -> Mapping[str, str]:
    url = cloud.call("sqs", "get_queue_url", QueueName=arn.rsplit(":", 1)[-1])["QueueUrl"]
    answer = cloud.call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])
    attributes: Mapping[str, str] = answer["Attributes"]
    return attributes
