"""What a catalogue needs of an account beside its stack: buckets, and Lambda's pollers of its queue."""

from collections.abc import Callable, Coroutine
from typing import Any

from local.backends.cloud.server import CloudServer
from local.backends.event_source import EventSource, Poller
from tests.cloudformation.engine import Engine
from tests.cloudformation.providers import Cloud
from tests.cloudformation.providers.rules import refused

BUCKET, OTHER_BUCKET = "pictures-one", "pictures-two"
CATALOGUE = {"Catalogue": "yes", "ImageBuckets": BUCKET}
"""Parameters of a stack that has one."""
Invoke = Callable[[str, bytes], Coroutine[Any, Any, bytes]]
Wait = Callable[[Coroutine[Any, Any, bytes]], bytes]


def with_services(cloud: Cloud, server: CloudServer) -> None:
    """Give the account what a catalogue lives in: S3 Vectors that hold vectors, and buckets of pictures."""
    for service in ("s3", "s3vectors"):  # moto's S3 lets nobody unsigned read or delete
        cloud.reach(service, server.url)
    for bucket in (BUCKET, OTHER_BUCKET):
        cloud.client("s3").create_bucket(Bucket=bucket)


def deliver(cloud: Cloud, bucket: str) -> None:
    """Let a bucket's events reach EventBridge as long as the queues of the rules take what these send.

    moto's EventBridge asks no queue's policy and no key's.
    """
    events: dict[str, Any] = {} if list(refused(cloud)) else {"EventBridgeConfiguration": {}}
    cloud.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=events)


class Pollers:
    """Lambda's, for the mappings that the account has at the moment; time passes for them in `poll` alone."""

    def __init__(self, engine: Engine, invoke: Invoke, wait: Wait) -> None:
        self._engine, self._invoke, self._wait = engine, invoke, wait

    def poll(self) -> None:
        """Hand on what waits, and what is sent meanwhile, until nothing does."""
        for mapping in tuple(self._engine.cloud.mappings.values()):
            queue, function = mapping["EventSourceArn"], str(mapping["FunctionName"])
            sqs = self._engine.cloud.client("sqs")
            source = EventSource(
                queue_url=sqs.get_queue_url(QueueName=queue.rsplit(":", 1)[-1])["QueueUrl"],
                queue_arn=queue,
                function_name=function,
                region=self._engine.cloud.region,
                batch=int(mapping["BatchSize"]),
                reports_items="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
            )

            def call(payload: bytes, name: str = function) -> bytes:
                return self._wait(self._invoke(name, payload))

            poller = Poller(source, sqs, call)
            while poller.poll(wait_seconds=0):
                pass
