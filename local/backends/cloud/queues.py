"""Amazon SQS where moto does otherwise, mended in moto's own classes.

A queue loses no message while others come and go, and gives none to two who receive at once: moto's are not
made for threads. And it is as fast with thousands of messages as with few: moto counts all of them for each
message that comes, goes or is received.
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html
"""

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.sqs.exceptions import ReceiptHandleIsInvalid
from moto.sqs.models import Message, Queue, SQSBackend

from local.backends.cloud.locking import Method, locked

Anything = Any
COUNT = "approximate_number_of_messages"
WAITING_SECONDS = 0.05
"""Between two looks of a long poll."""
_lock = threading.RLock()


def mend() -> None:
    """Mend moto in this process, once."""
    for owner, name, mended in (
        (SQSBackend, "receive_message", _long_polled(locked(_lock, SQSBackend.receive_message))),
        (SQSBackend, "is_message_valid_based_on_retention_period", _kept),
        (Queue, "add_message", locked(_lock, Queue.add_message)),
        (Queue, "delete_message", locked(_lock, _delete)),
        (Queue, "messages", property(lambda self: _messages(self, _ready))),
        (Queue, f"{COUNT}_delayed", property(lambda self: len(_messages(self, _delayed)))),
        (Queue, f"{COUNT}_not_visible", property(lambda self: len(_messages(self, _held)))),
        (Message, "visible", property(lambda self: not _held(self, _now()))),
        (Message, "delayed", property(lambda self: _delayed(self, _now()))),
    ):
        setattr(owner, name, mended)


def _now() -> float:
    return time.time() * 1000


def _messages(queue: Anything, chosen: Callable[[Anything, float], bool]) -> list[Anything]:
    now = _now()
    return [message for message in queue._messages if chosen(message, now)]


def _held(message: Anything, now: float) -> bool:
    return bool(now <= message.visible_at)


def _delayed(message: Anything, now: float) -> bool:
    return bool(now < message.delayed_until)


def _ready(message: Anything, now: float) -> bool:
    return not _held(message, now) and not _delayed(message, now)


def _kept(backend: Anything, queue_name: str, message: Anything) -> bool:
    """Whether a message is not older than its queue keeps any."""
    seconds = int(backend.get_queue(queue_name).message_retention_period)
    return bool(message.sent_timestamp + seconds * 1000 > _now())


def _delete(queue: Anything, handle: str) -> None:
    if handle in queue.deleted_messages:
        return
    for place, message in enumerate(queue._messages):
        if message.had_receipt_handle(handle):
            # a new list: others may be going through the old one
            queue._messages = queue._messages[:place] + queue._messages[place + 1 :]
            queue.pending_messages.discard(message)
            queue.deleted_messages.update(message.all_receipt_handles)
            return
    raise ReceiptHandleIsInvalid


def _long_polled(receive_message: Method) -> Method:
    """Looks again and again, and holds the lock only while it looks."""

    @wraps(receive_message)
    def wrapped(
        self: Anything, queue_name: str, count: int, wait: int, *args: Anything, **kwargs: Anything
    ) -> Anything:
        end = time.monotonic() + wait
        while True:
            messages = receive_message(self, queue_name, count, 0, *args, **kwargs)
            if messages or time.monotonic() >= end:
                return messages
            time.sleep(WAITING_SECONDS)

    return wrapped  # type: ignore[return-value]
