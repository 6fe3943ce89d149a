"""Lambda's event source mapping between a queue of the local cloud and a function.

https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.backends.protocols import FunctionFailed

PER_CALL = 10
"""Messages of one call of SQS."""
LONG_POLL_SECONDS = 20
LOOK_SECONDS = 0.1
AFTER_TROUBLE_SECONDS = 1.0
Invoke = Callable[[bytes], bytes]
Message = Mapping[str, Any]
Client = Any  # boto3's for "sqs"
logger = logging.getLogger("local.backends.event_source")


@dataclass(frozen=True)
class EventSource:
    """A mapping as the template describes it.

    Attributes:
        queue_url: of the queue that is polled, `queue_arn` its ARN.
        function_name: of the function that is invoked.
        region: of both.
        batch: messages of one invocation at most.
        window_seconds: how long messages are gathered for one invocation.
        concurrency: invocations that are under way at once.
        reports_items: whether the function names the messages that failed (ReportBatchItemFailures).
    """

    queue_url: str
    queue_arn: str
    function_name: str
    region: str
    batch: int = 10
    window_seconds: float = 0
    concurrency: int = 2
    reports_items: bool = False


class Poller:
    """Polls the queue of one mapping in threads, each of which has one invocation under way at a time.

    Args:
        source: the mapping.
        client: of SQS.
        invoke: calls the function and gives its answer; raises FunctionFailed.
    """

    def __init__(self, source: EventSource, client: Client, invoke: Invoke) -> None:
        self._source, self._client, self._invoke = source, client, invoke
        self._stopped = threading.Event()

    def start(self) -> None:
        """Poll until stopped, or until this process ends."""
        for number in range(self._source.concurrency):
            threading.Thread(target=self._run, name=f"poller-{number}", daemon=True).start()

    def stop(self) -> None:
        """Begin no more; what is under way ends with the queue or the function."""
        self._stopped.set()

    def _run(self) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        while not self._stopped.is_set():
            try:
                self.poll()
            except (BotoCoreError, ClientError):
                if not self._stopped.wait(AFTER_TROUBLE_SECONDS):
                    logger.exception("the queue %s does not answer", self._source.queue_arn)

    def poll(self, wait_seconds: int = LONG_POLL_SECONDS) -> int:
        """Gather one batch, invoke the function and delete what it finished; how many messages there were."""
        batch = self._gather(wait_seconds)
        if not batch or self._stopped.is_set():  # what was received so comes again
            return len(batch)
        identifiers = [message["MessageId"] for message in batch]
        try:
            answer = self._invoke(json.dumps(event(batch, self._source)).encode())
        except FunctionFailed as error:
            if not self._stopped.is_set():
                logger.warning(
                    "%s failed with %d messages: %s", self._source.function_name, len(batch), error
                )
            return len(batch)
        left = unfinished(answer, identifiers, reports_items=self._source.reports_items)
        if left:
            logger.info("%s: %d of %d messages come again", self._source.function_name, len(left), len(batch))
        self._delete([message for message in batch if message["MessageId"] not in left])
        return len(batch)

    def _gather(self, wait_seconds: int) -> list[Message]:
        """Messages until the batch is full or the window closes."""
        batch = self._receive(self._source.batch, wait_seconds)
        closes = time.monotonic() + self._source.window_seconds
        while batch and len(batch) < self._source.batch:
            more = self._receive(self._source.batch - len(batch), 0)
            batch += more
            left = closes - time.monotonic()
            if left <= 0 or self._stopped.is_set():
                break
            if not more:
                time.sleep(min(LOOK_SECONDS, left))
        return batch

    def _receive(self, most: int, wait_seconds: int) -> list[Message]:
        answer = self._client.receive_message(
            QueueUrl=self._source.queue_url,
            MaxNumberOfMessages=min(most, PER_CALL),
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages: list[Message] = answer.get("Messages", [])
        return messages

    def _delete(self, finished: Sequence[Message]) -> None:
        for start in range(0, len(finished), PER_CALL):
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(finished[start : start + PER_CALL])
            ]
            answer = self._client.delete_message_batch(QueueUrl=self._source.queue_url, Entries=entries)
            for entry in answer.get("Failed", []):
                logger.warning("a finished message could not be deleted: %s", entry.get("Message"))


def event(batch: Sequence[Message], source: EventSource) -> dict[str, Any]:
    """The event of an invocation."""
    return {
        "Records": [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": dict(message.get("Attributes", {})),
                "messageAttributes": {
                    name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
                },
                "md5OfBody": message["MD5OfBody"],
                "eventSource": "aws:sqs",
                "eventSourceARN": source.queue_arn,
                "awsRegion": source.region,
            }
            for message in batch
        ]
    }


def unfinished(answer: bytes, identifiers: Sequence[str], *, reports_items: bool) -> Collection[str]:
    """The messages that an invocation did not finish, which stay in the queue.

    Without ReportBatchItemFailures an answer finishes them all. With it, an answer that names none does
    (null, an object without the list, an empty list); one that can't be read, or names what is not of the
    batch, finishes none.
    """
    try:
        content = json.loads(answer)
    except ValueError:
        return identifiers
    if _is_error(content):
        return identifiers
    if not reports_items or content is None:
        return []
    items = content.get("batchItemFailures") if isinstance(content, dict) else content
    if items is None:
        return []
    listed = items if isinstance(items, list) else [items]
    named: list[Any] = [item.get("itemIdentifier") if isinstance(item, dict) else None for item in listed]
    return named if all(name in identifiers for name in named) else identifiers


def _is_error(content: object) -> bool:
    """Whether it is what the emulator answers for a function that raised: the service has a header for it."""
    return isinstance(content, dict) and "errorMessage" in content and "errorType" in content


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: part for name, part in value.items()}
