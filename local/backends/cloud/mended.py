"""Where moto does otherwise than AWS, in what a catalogue depends on: mended in moto's own classes.

Events of S3 get AWS's shape, one for each change: moto writes `eTag`, gives all of them one id, sends none
for a delete marker and two for a multipart upload, and hides every failure. What is mended of queues is in
`queues`, of tables in `tables`. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
"""

import itertools
import logging
import time
import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from moto.events.models import events_backends
from moto.moto_server.utilities import RegexConverter
from moto.s3 import notifications
from moto.s3.models import S3Backend
from moto.s3.notifications import S3NotificationEvent

from local.backends.cloud import queues, tables

Anything = Any
Method = TypeVar("Method", bound=Callable[..., Any])
CREATED, DELETED = "Object Created", "Object Deleted"
REASONS: dict[str, str] = {
    S3NotificationEvent.OBJECT_CREATED_PUT_EVENT: "PutObject",
    S3NotificationEvent.OBJECT_CREATED_POST_EVENT: "POST Object",
    S3NotificationEvent.OBJECT_CREATED_COPY_EVENT: "CopyObject",
    S3NotificationEvent.OBJECT_CREATED_COMPLETE_MULTIPART_UPLOAD_EVENT: "CompleteMultipartUpload",
    S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT: "DeleteObject",
    S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT: "DeleteObject",
}
logger = logging.getLogger(__name__)
_numbers = itertools.count(time.time_ns())


def mend() -> None:
    """Mend moto in this process; doing it again changes nothing."""
    if notifications._send_event_bridge_message is _tell_event_bridge:
        return
    for owner, name, mended in (
        (notifications, "_send_event_bridge_message", lambda _: _tell_event_bridge),
        (S3Backend, "put_object", _one_event),
        (S3Backend, "delete_object", _versions_told),
        (RegexConverter, "__init__", _any_character),
    ):
        setattr(owner, name, mended(getattr(owner, name)))
    queues.mend()
    tables.mend()


def _tell_event_bridge(account: str, bucket: Anything, name: str, key: Anything) -> None:
    """Give an event to every rule of the bucket's region. What fails is logged; the change is made anyway."""
    if name == S3NotificationEvent.OBJECT_TAGGING_PUT_EVENT:  # moto's of every put, which can't be told apart
        return
    reason = REASONS.get(name)
    created = name.startswith(S3NotificationEvent.OBJECT_CREATED_EVENT.removesuffix("*"))
    detail_type = notifications._detail_type(name)
    thing: dict[str, Any] = {"key": key.name, "sequencer": f"{next(_numbers):018X}"}
    if created:
        thing |= {"size": key.size, "etag": key.etag.strip('"')}
    if bucket.is_versioned:
        thing["version-id"] = key.version_id
    marker = name == S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT
    deletion = {"deletion-type": "Delete Marker Created" if marker else "Permanently Deleted"}
    event: Any = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": account,
        "time": time.time(),
        "region": bucket.region_name,
        "resources": [bucket.arn],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket.name},
            "object": thing,
            "request-id": uuid.uuid4().hex[:16].upper(),
            "requester": account,
            "source-ip-address": "127.0.0.1",
            **({"reason": reason} if reason else {}),
            **(deletion if detail_type == DELETED else {}),
        },
    }
    for bus in events_backends[account][bucket.region_name].event_buses.values():
        for rule in bus.rules.values():
            try:
                if rule.state == "ENABLED":
                    rule.send_to_targets(event, transform_input=False)
            except Exception:
                logger.exception("the rule %s could not deliver an event", rule.name)


def _any_character(initialize: Method) -> Method:
    """Line breaks are characters of a key as others are; moto's paths end at one."""

    @wraps(initialize)
    def wrapped(self: Anything, *args: Anything) -> None:
        initialize(self, *args)
        self.regex = f"(?s:{self.regex})"

    return wrapped  # type: ignore[return-value]


def _one_event(put_object: Method) -> Method:
    """A multipart upload is told when it is completed, and not as a put besides."""

    @wraps(put_object)
    def wrapped(self: Anything, *args: Anything, **kwargs: Anything) -> Anything:
        if kwargs.get("multipart") is not None:
            kwargs["disable_notification"] = True
        return put_object(self, *args, **kwargs)

    return wrapped  # type: ignore[return-value]


def _versions_told(delete_object: Method) -> Method:
    """Delete markers, and versions of which others remain, are told too."""

    @wraps(delete_object)
    def wrapped(
        self: Anything, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> Anything:
        bucket = self.get_bucket(bucket_name)
        before = bucket.keys.getlist(key_name, []) if bucket.is_versioned else []
        gone = [key for key in before if version_id and str(key.version_id) == str(version_id)]
        answer = delete_object(self, bucket_name, key_name, version_id, bypass)
        left = bucket.keys.getlist(key_name, [])
        if bucket.is_versioned and version_id is None and left:
            name = S3NotificationEvent.OBJECT_REMOVED_DELETE_MARKER_CREATED_EVENT
            notifications.send_event(self.account_id, name, bucket, left[-1])
        elif gone and left:
            name = S3NotificationEvent.OBJECT_REMOVED_DELETE_EVENT
            notifications.send_event(self.account_id, name, bucket, gone[0])
        return answer

    return wrapped  # type: ignore[return-value]
