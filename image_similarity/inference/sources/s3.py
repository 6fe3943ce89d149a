"""Files from S3, read with the deployment's own credentials, so only from the buckets its owner lists."""

import functools
import threading
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

from image_similarity.inference.errors import PayloadTooLarge, SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import S3_SCHEME
from image_similarity.inference.sources import refusals
from image_similarity.inference.sources.allowance import Allowance, AllowanceUsedUpError
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
"""For connecting and for each read: two attempts fit into the ten seconds of a request."""
DOTS = frozenset({".", ".."})
ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
VERSION_SIGN = "?versionId="
NO_OBJECT = (
    "no such object, or none that this deployment may read (one that is encrypted with a KMS key needs "
    "kms:Decrypt for the deployment's role, and the key enabled)."
)
"""One sentence for all of them: different ones would reveal which objects exist."""
_client_lock = threading.Lock()
_deadline: ContextVar[Deadline] = ContextVar("_deadline")
"""Of the fetch in this thread: it also bounds the retries that the client makes by itself."""


class Location(NamedTuple):
    """An object of a bucket that may be read; the key is not percent-encoded."""

    bucket: str
    key: str


def parse(url: str, policy: SourcePolicy) -> Location:
    """Bucket and key of `s3://bucket/key`.

    Raises:
        SourceNotAllowed: not of that form, or not a bucket of this deployment.
    """
    bucket, _, key = url.removeprefix(S3_SCHEME).partition("/")
    if not bucket or not _is_key(key):
        raise SourceNotAllowed("not of the form s3://bucket/key.")
    if bucket not in policy.buckets:
        raise SourceNotAllowed(
            "not a bucket that this deployment reads; its owner can list it in ImageBuckets."
        )
    return Location(bucket, key)


def read(
    location: Location, policy: SourcePolicy, deadline: Deadline, allowance: Allowance | None = None
) -> bytes:
    """Read one object.

    Raises:
        SourceUnavailable: absent or forbidden (the message is the same), archived, or S3 does not answer.
        PayloadTooLarge: the object has more than policy.max_bytes, or than the allowance has left.
    """
    _deadline.set(deadline)
    try:
        data = _object(location, policy, deadline, allowance or Allowance(policy.max_bytes))
    except (UnreadableCodingError, WrongCodingError, CutOffError) as error:
        raise refusals.coding(error, "the object") from error
    except TooCostlyError as error:
        raise SourceUnavailable(
            "decompressing the object takes too much CPU time; store it uncompressed."
        ) from error
    except DeadlineExceededError as error:
        raise deadline.exceeded() from error
    if not data:
        raise _empty()
    return data


def _is_key(key: str) -> bool:
    """Whether S3 takes the key as it is; a segment of dots alone may be normalised away on the way."""
    try:
        return 0 < len(key.encode()) <= MAX_KEY_BYTES and DOTS.isdisjoint(key.split("/"))
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


def _object(location: Location, policy: SourcePolicy, deadline: Deadline, allowance: Allowance) -> bytes:
    from botocore.exceptions import BotoCoreError, ClientError  # slow, and useless where no s3:// is read
    from urllib3.exceptions import HTTPError

    bucket, key = location
    try:
        client = _client()
        head = client.head_object(Bucket=bucket, Key=key)
        _check(head, policy)
        # The very object whose head was checked: it may have been replaced since.
        body = client.get_object(Bucket=bucket, Key=key, IfMatch=head["ETag"])["Body"]
        codings = [part.strip().lower() for part in head.get("ContentEncoding", "").split(",")]
        parts = _timely(body.iter_chunks(READ_BYTES), deadline)
        data = undone(parts, codings, Budget(deadline, 0).check_processor)
        return collect(allowance.counted(data, head["ContentLength"]), policy.max_bytes)
    except AllowanceUsedUpError as error:
        raise refusals.too_large_in_all(allowance.max_bytes) from error
    except OverLimitError as error:
        raise _too_large(policy) from error
    except ClientError as error:
        raise _refused(error, key) from error
    except (BotoCoreError, HTTPError, OSError, ValueError) as error:
        raise SourceUnavailable("S3 does not answer as it should; try again.") from error


def _check(head: "HeadObjectOutputTypeDef", policy: SourcePolicy) -> None:
    """Refuse an object because of its headers."""
    restore = head.get("Restore", "")
    if 'ongoing-request="true"' in restore:
        raise SourceUnavailable("the object is archived and being restored; try again when it is.")
    if (head.get("StorageClass") in ARCHIVED or head.get("ArchiveStatus")) and not restore:
        raise _archived()
    if not head["ContentLength"]:
        raise _empty()
    if head["ContentLength"] > policy.max_bytes:
        raise _too_large(policy)


def _timely(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    for chunk in chunks:
        deadline.remaining()
        yield chunk


def _refused(error: "ClientError", key: str) -> SourceUnavailable:
    """The caller's error for S3's refusal: the same for absent, forbidden and undecipherable objects."""
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    code = error.response["Error"].get("Code", "")
    if code == "InvalidObjectState":
        return _archived()
    if code.startswith("KMS."):  # the key is disabled, deleted, or in another state of its own
        return SourceUnavailable(NO_OBJECT)
    if status in {301, 307, 400} and "region" in str(error.response).lower():
        return SourceUnavailable("the bucket is in a region that this deployment can't read from.")
    if status in {403, 404}:
        hint = f" The newest version is read: leave out {VERSION_SIGN}..." if VERSION_SIGN in key else ""
        return SourceUnavailable(f"{NO_OBJECT}{hint}")
    return SourceUnavailable("S3 does not answer as it should; try again.")


def _archived() -> SourceUnavailable:
    return SourceUnavailable("the object is archived; restore it first.")


def _empty() -> SourceUnavailable:
    return SourceUnavailable("the object is empty (0 bytes); send the key of an image.")


def _too_large(policy: SourcePolicy) -> PayloadTooLarge:
    return PayloadTooLarge(f"the object has more than {policy.max_bytes} bytes; send a smaller one.")


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
    """Send nothing for a request whose time is over, not even in a retry of the client's own."""
    _deadline.get().remaining()


def _client() -> "S3Client":
    with _client_lock:  # making a client is not thread-safe, using it is
        return _make_client()
