"""What an account's services describe of a catalogue, read by boto3."""

import json
from collections.abc import Callable
from typing import Any

from verify.aws.failures import told
from verify.facts import Json, VectorIndex

Clients = Callable[[str], Any]


class CatalogueServices:
    """The part of `verify.cloud.Services` that only a catalogue's rows ask.

    Args:
        client: a service's client in the stack's region.
    """

    def __init__(self, client: Clients) -> None:
        self._client = client

    def event_pattern(self, rule: str) -> Json:
        """See Services."""
        with told(f"The rule {rule} can't be read"):
            return json.loads(self._client("events").describe_rule(Name=rule)["EventPattern"])

    def recursion(self, function: str) -> str:
        """See Services."""
        with told(f"The recursion of {function} can't be read"):
            found = self._client("lambda").get_function_recursion_config(FunctionName=function)
        return str(found["RecursiveLoop"])

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """See Services."""
        with told(f"s3://{bucket}/{key} can't be written"):
            self._client("s3").put_object(Bucket=bucket, Key=key, Body=body)

    def delete_object(self, bucket: str, key: str) -> None:
        """See Services."""
        with told(f"s3://{bucket}/{key} can't be deleted"):
            self._client("s3").delete_object(Bucket=bucket, Key=key)

    def vector_index(self, arn: str) -> VectorIndex:
        """See Services."""
        with told(f"The index {arn} can't be read"):
            found = self._client("s3vectors").get_index(indexArn=arn)["index"]
        return VectorIndex(found["vectorBucketName"], int(found["dimension"]), found["distanceMetric"])

    def concurrency(self, mapping: str) -> int | None:
        """See Services."""
        with told(f"The event source mapping {mapping} can't be read"):
            found = self._client("lambda").get_event_source_mapping(UUID=mapping)
        most = (found.get("ScalingConfig") or {}).get("MaximumConcurrency")
        return None if most is None else int(most)
