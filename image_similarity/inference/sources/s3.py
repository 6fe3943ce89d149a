"""Files from S3, with the deployment's own credentials: so only from the buckets that its owner lists."""

import functools
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING

from image_similarity.inference.errors import PayloadTooLarge, SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import S3_SCHEME, Source
from image_similarity.inference.sources import refusals
from image_similarity.inference.sources.budget import Budget, TooCostlyError
from image_similarity.inference.sources.coding import (
    CutOffError,
    UnreadableCodingError,
    WrongCodingError,
    undone,
)
from image_similarity.inference.sources.collect import OverLimitError, collect
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from image_similarity.inference.sources.policy import SourcePolicy

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import HeadObjectOutputTypeDef

MAX_KEY_BYTES = 1024  # Amazon S3 user guide, "Object key naming guidelines"
READ_BYTES = 64 * 1024
ATTEMPT_SECONDS = 4
"""For connecting and for each read: two attempts fit in the ten seconds of a request."""
DOTS = frozenset({".", ".."})
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
VERSION_SIGN = "?versionId="
NO_OBJECT = (
    "no such object, or none that this deployment may read (one that is encrypted with a KMS key needs "
    "kms:Decrypt for the deployment's role, and the key enabled)."
)
"""One sentence for all of them: which it is would tell which objects exist."""
_client_lock = threading.Lock()
_deadline: ContextVar[Deadline] = ContextVar("_deadline")
"""Of the fetch that runs in this thread: the client's own second attempts keep it too."""


def parse(source: Source, policy: SourcePolicy) -> tuple[str, str]:
    """Bucket and key of `s3://bucket/key`, with the key as it is, not percent-encoded.

    Raises:
        SourceNotAllowed: not of that form, or not a bucket of this deployment.
    """
    bucket, _, key = source.value.removeprefix(S3_SCHEME).partition("/")
    if not bucket or not _is_key(key):
        raise SourceNotAllowed(f"{source.field}: not of the form s3://bucket/key.")
    if bucket not in policy.buckets:
        raise SourceNotAllowed(
            f"{source.field}: not a bucket that this deployment reads; its owner can list it in ImageBuckets."
        )
    return bucket, key


def read(source: Source, policy: SourcePolicy, deadline: Deadline) -> bytes:
    """Read one object.

    Raises:
        SourceNotAllowed: as `parse`.
        SourceUnavailable: absent or forbidden (no difference is told), archived, or S3 does not answer.
        PayloadTooLarge: the object has more than policy.max_bytes.
    """
    bucket, key = parse(source, policy)
    _deadline.set(deadline)
    try:
        data = _object(bucket, key, source.field, policy, deadline)
    except (UnreadableCodingError, WrongCodingError, CutOffError) as error:
        raise refusals.coding(error, source.field, "the object") from error
    except TooCostlyError as error:
        raise SourceUnavailable(
            f"{source.field}: unpacking the object takes too much processor time; store it as it is."
        ) from error
    except DeadlineExceededError as error:
        raise deadline.exceeded(source.field) from error
    if not data:
        raise _empty(source.field)
    return data


def _is_key(key: str) -> bool:
    """Whether S3 takes it as it is; a path segment of dots alone may be normalised away on the way."""
    try:
        return 0 < len(key.encode()) <= MAX_KEY_BYTES and DOTS.isdisjoint(key.split("/"))
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _object(bucket: str, key: str, field: str, policy: SourcePolicy, deadline: Deadline) -> bytes:
    from botocore.exceptions import BotoCoreError, ClientError  # not needed where no s3:// is read
    from urllib3.exceptions import HTTPError

    try:
        client = _client()
        head = client.head_object(Bucket=bucket, Key=key)
        _check(head, field, policy)
        # The object that was measured, or none: it may be replaced in between.
        body = client.get_object(Bucket=bucket, Key=key, IfMatch=head["ETag"])["Body"]
        codings = [part.strip().lower() for part in head.get("ContentEncoding", "").split(",")]
        parts = _timely(body.iter_chunks(READ_BYTES), deadline)
        return collect(undone(parts, codings, Budget(deadline, 0).check_processor), policy.max_bytes)
    except OverLimitError as error:
        raise _too_large(field, policy) from error
    except ClientError as error:
        raise _refused(error, field, key) from error
    except (BotoCoreError, HTTPError, OSError, ValueError) as error:
        raise SourceUnavailable(f"{field}: S3 does not answer as it should; try again.") from error


def _check(head: "HeadObjectOutputTypeDef", field: str, policy: SourcePolicy) -> None:
    """What is known of the object without reading it."""
    restore = head.get("Restore", "")
    if 'ongoing-request="true"' in restore:
        raise SourceUnavailable(f"{field}: the object is archived and being restored; try again when it is.")
    if (head.get("StorageClass") in ARCHIVED or head.get("ArchiveStatus")) and not restore:
        raise _archived(field)
    if not head["ContentLength"]:
        raise _empty(field)
    if head["ContentLength"] > policy.max_bytes:
        raise _too_large(field, policy)


def _timely(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    for chunk in chunks:
        deadline.remaining()
        yield chunk


def _refused(error: "ClientError", field: str, key: str) -> SourceUnavailable:
    """What the caller is told of S3's refusal; absent, forbidden and undecipherable objects are one."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error.response["Error"].get("Code", "")
    if code == "InvalidObjectState":
        return _archived(field)
    if code.startswith("KMS."):  # the key is disabled, deleted, or in another state of its own
        return SourceUnavailable(f"{field}: {NO_OBJECT}")
    if status in {301, 307, 400} and "region" in str(error.response).lower():
        return SourceUnavailable(f"{field}: the bucket is in a region that this deployment can't read from.")
    if status in {403, 404}:
        hint = f" The newest version is read: leave out {VERSION_SIGN}..." if VERSION_SIGN in key else ""
        return SourceUnavailable(f"{field}: {NO_OBJECT}{hint}")
    return SourceUnavailable(f"{field}: S3 does not answer as it should; try again.")


def _archived(field: str) -> SourceUnavailable:
    return SourceUnavailable(f"{field}: the object is archived; restore it first.")


def _empty(field: str) -> SourceUnavailable:
    return SourceUnavailable(f"{field}: the object is empty (0 bytes); send the key of an image.")


def _too_large(field: str, policy: SourcePolicy) -> PayloadTooLarge:
    return PayloadTooLarge(f"{field}: the object has more than {policy.max_bytes} bytes; send a smaller one.")


@functools.lru_cache(maxsize=1)
def _make_client() -> "S3Client":
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=ATTEMPT_SECONDS,
        read_timeout=ATTEMPT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": 2},
        proxies={},  # none from the environment
    )
    client = boto3.session.Session().client("s3", config=config)
    client.meta.events.register_first("before-send.s3", _while_time_is_left)
    return client


def _while_time_is_left(**_: object) -> None:
    """Nothing is sent for a request whose time is over, not by the client's own attempts either."""
    _deadline.get().remaining()


def _client() -> "S3Client":
    with _client_lock:  # making a client is not thread-safe, using it is
        return _make_client()
