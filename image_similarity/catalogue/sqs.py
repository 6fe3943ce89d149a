"""The catalogue's queue in Amazon SQS, by boto3. Receiving is Lambda's."""

from collections.abc import Sequence
from typing import Any

from image_similarity.catalogue.aws_errors import told_apart
from image_similarity.catalogue.index import TransientError, batches
from image_similarity.catalogue.messages import Message, Received, encode

Client = Any  # boto3's for "sqs"
BATCH = 10
SERVICE = "SQS"
COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsQueue:
    """See `Queue`."""

    def __init__(self, client: Client, url: str) -> None:
        self._client, self._url = client, url

    def send(self, messages: Sequence[Message], delay: int = 0) -> None:
        """See `Queue.send`; of what fails some may have been sent, which does no harm."""
        for batch in batches(messages, BATCH):
            entries = [
                {"Id": str(number), "MessageBody": encode(message), "DelaySeconds": delay}
                for number, message in enumerate(batch)
            ]
            with told_apart(SERVICE):
                answer = self._client.send_message_batch(QueueUrl=self._url, Entries=entries)
            _raise_failed(answer)

    def delete(self, finished: Sequence[Received]) -> None:
        """See `Queue.delete`."""
        for batch in batches(finished, BATCH):
            entries = [{"Id": str(number), "ReceiptHandle": one.handle} for number, one in enumerate(batch)]
            with told_apart(SERVICE):
                answer = self._client.delete_message_batch(QueueUrl=self._url, Entries=entries)
            _raise_failed(answer)

    def postpone(self, received: Received, seconds: int) -> None:
        """See `Queue.postpone`."""
        with told_apart(SERVICE):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=received.handle, VisibilityTimeout=seconds
            )

    def depth(self) -> int:
        """See `Queue.depth`."""
        with told_apart(SERVICE):
            answer = self._client.get_queue_attributes(QueueUrl=self._url, AttributeNames=list(COUNTS))
        return sum(int(answer["Attributes"][name]) for name in COUNTS)


def _raise_failed(answer: dict[str, Any]) -> None:
    if failed := answer.get("Failed"):
        raise TransientError(f"{SERVICE}: {len(failed)} entries failed, the first as {failed[0].get('Code')}")
