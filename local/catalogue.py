"""A stack's catalogue on this machine: the cloud that it lives in, and what calls its indexing function."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from local.backends.cloud.process import CloudProcess
from local.backends.cloud.resources import create, create_buckets, held_by_cloud
from local.backends.event_source import EventSource, Invoke, Poller
from local.template.identifiers import DerivedIdentifiers, PseudoParameters
from local.template.resolve import ResolvedResource, ResolvedStack

FUNCTION, MAPPING, QUEUE = "AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::SQS::Queue"
WINDOW_SECONDS = 1.0
"""Messages are gathered no longer than this, whatever the template says: nobody pays for calls here."""
PACE_SECONDS = 1
"""That a sync puts itself off at least: the queue's count is exact here."""


class LocalCatalogue:
    """The local cloud with the stack's resources and its buckets, and the pollers of its mappings."""

    def __init__(self, root: Path, stack: ResolvedStack, port: int = 0) -> None:
        self._stack = stack
        names = stack.parameters.get("ImageBuckets", "").split(",")
        self.buckets = tuple(dict.fromkeys(filter(None, (name.strip() for name in names))))
        self.cloud = CloudProcess(root, stack.pseudo.region, port)
        self._pollers: list[Poller] = []

    @staticmethod
    def of(root: Path, stack: ResolvedStack, port: int = 0) -> "LocalCatalogue | None":
        """The catalogue of a stack that has one, not started."""
        return LocalCatalogue(root, stack, port) if held_by_cloud(stack) else None

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """The environment of every backend: its AWS is here alone, and who calls owns the pictures."""
        kept = {name: value for name, value in given.items() if not name.startswith("AWS_")}
        pace = {"CATALOGUE_PACE_SECONDS": str(PACE_SECONDS)}
        return {**kept, **self.cloud.variables, **pace, "CATALOGUE_TRUSTED": "yes"}

    def start(self, environment: Mapping[str, str], logs: Path) -> None:
        """Start the cloud's process; `create` waits for it."""
        self.cloud.start(environment, logs / "cloud.log")

    def create(self) -> None:
        """Make resources and buckets. Raises BackendFailed."""
        self.cloud.wait()
        create(self.cloud, self._stack)
        create_buckets(self.cloud, self.buckets)

    @property
    def sources(self) -> list[EventSource]:
        """The mappings of the template."""
        return [self._source(resource) for resource in self._stack.of_type(MAPPING)]

    def workers(self, function: str) -> int | None:
        """How many invocations of a function (by name) its mappings have under way; None without mapping."""
        counts = [one.concurrency for one in self.sources if one.function_name == function]
        return max(counts, default=None)

    def follow(self, invoke: Callable[[str], Invoke]) -> None:
        """Poll the queues; `invoke` gives the call of a function, by ARN."""
        for source in self.sources:
            arn = _function_arn(self._stack.pseudo, source.function_name)
            poller = Poller(source, self.cloud.client("sqs"), invoke(arn))
            poller.start()
            self._pollers.append(poller)

    def queue_url(self) -> str:
        """Of the queue that is polled."""
        return self.sources[0].queue_url

    def rest(self) -> None:
        """Poll no more."""
        for poller in self._pollers:
            poller.stop()

    def stop(self) -> None:
        """End the pollers and the cloud."""
        self.rest()
        self.cloud.stop()

    def _source(self, resource: ResolvedResource) -> EventSource:
        properties = resource.properties
        asked = int(properties.get("ScalingConfig", {}).get("MaximumConcurrency", 2))
        return EventSource(
            queue_url=self._queue_url_of(properties["EventSourceArn"]),
            queue_arn=properties["EventSourceArn"],
            function_name=str(properties["FunctionName"]),
            region=self._stack.pseudo.region,
            batch=int(properties.get("BatchSize", 10)),
            window_seconds=min(WINDOW_SECONDS, float(properties.get("MaximumBatchingWindowInSeconds", 0))),
            concurrency=min(asked, os.cpu_count() or 1),
            reports_items="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
        )

    def _queue_url_of(self, arn: str) -> str:
        queues = self._stack.of_type(QUEUE)
        derive = DerivedIdentifiers(self._stack.pseudo, {queue.logical_id: QUEUE for queue in queues})
        urls = {
            derive.attribute(queue.logical_id, "Arn", queue.properties): derive.ref(
                queue.logical_id, queue.properties
            )
            for queue in queues
        }
        return urls[arn]


def _function_arn(pseudo: PseudoParameters, name: str) -> str:
    return DerivedIdentifiers(pseudo, {name: FUNCTION}).attribute(name, "Arn", {"FunctionName": name})
