"""What the queue's texts mean: messages of our own, and what EventBridge sends of S3's events.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import json
from collections.abc import Collection
from typing import Any

from image_similarity.catalogue.messages import Changed, Message, decode

SOURCE = "aws.s3"
KINDS = frozenset({"Object Created", "Object Deleted", "Object Restore Completed"})


class UnreadableError(Exception):
    """The text is neither; the message says what is wrong, and quotes nothing."""


def read(text: str, buckets: Collection[str]) -> Message | None:
    """The message of a text.

    Args:
        text: as it came.
        buckets: the names of those that the catalogue follows.

    Returns:
        The message; None for an event of another bucket.

    Raises:
        UnreadableError: neither a message of ours nor an event of an object.
    """
    if message := decode(text):
        return message
    try:
        content: Any = json.loads(text)
    except ValueError:
        raise UnreadableError("not JSON") from None
    except RecursionError:
        raise UnreadableError("nested too deeply") from None
    if not isinstance(content, dict) or content.get("source") != SOURCE:
        raise UnreadableError("neither a message of ours nor an event of S3")
    if content.get("detail-type") not in KINDS:
        raise UnreadableError("an event of S3 of another kind")
    bucket, key = _name(content, "bucket", "name"), _name(content, "object", "key")
    return Changed(f"s3://{bucket}/{key}") if bucket in buckets else None


def _name(content: dict[str, Any], part: str, field: str) -> str:
    """A name in the event's detail; keys stand there as they are, not percent-encoded."""
    try:
        value = content["detail"][part][field]
    except (KeyError, TypeError, IndexError):
        value = None
    if not isinstance(value, str) or not value:
        raise UnreadableError(f"an event without detail.{part}.{field}")
    return value
