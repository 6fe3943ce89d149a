"""The objects of S3 buckets, by boto3."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from image_similarity.catalogue.aws_errors import told_apart
from image_similarity.catalogue.index import TransientError
from image_similarity.catalogue.objects import MAX_BYTES, ObjectState, Reading, UnusableObject

Client = Any  # boto3's for "s3"
SCHEME = "s3://"
ABSENT = frozenset({"NoSuchKey", "NoSuchBucket", "NotFound", "404"})
NOT_MODIFIED = 304
SERVICE = "S3"
ARCHIVED = "The object is archived; restore it first, and it is indexed."
TOO_LARGE = f"The object has more than {MAX_BYTES} bytes ({MAX_BYTES // 1024**2} MiB); put a smaller one."


class S3Objects:
    """See `Store`.

    The role needs s3:GetObject, and s3:ListBucket: without that one, absent objects are forbidden ones to S3.
    """

    def __init__(self, client: Client, buckets: Sequence[str]) -> None:
        self._client = client
        self.roots = tuple(f"{SCHEME}{bucket}/" for bucket in buckets)

    def read(self, key: str, known_etag: str | None = None) -> Reading | None:
        """See `Store.read`."""
        from botocore.exceptions import ClientError

        if not key.startswith(self.roots):
            return None
        known = {"IfNoneMatch": known_etag} if known_etag else {}
        try:
            with told_apart(SERVICE):
                answer = self._client.get_object(**_where(key), **known)
                state = _state(key, answer)
                if state.size > MAX_BYTES:
                    answer["Body"].close()
                    raise UnusableObject(state, TOO_LARGE)
                return Reading(state, _all(answer["Body"], state))
        except ClientError as error:
            return self._without_bytes(key, known_etag, error)

    def _without_bytes(self, key: str, known_etag: str | None, error: Any) -> Reading | None:  # noqa: ANN401
        """What an answer without an object means: S3 has ETags of their own for that."""
        code, status = (
            error.response["Error"].get("Code"),
            error.response["ResponseMetadata"]["HTTPStatusCode"],
        )
        if code in ABSENT:
            return None
        state = self.look(key) if status == NOT_MODIFIED or code == "InvalidObjectState" else None
        if status == NOT_MODIFIED:
            if state is None or state.etag == known_etag:
                return Reading(state, None) if state else None
            raise TransientError(f"{SERVICE}: the object changed while it was read") from error
        if state is not None:
            raise UnusableObject(state, ARCHIVED) from error
        raise error

    def look(self, key: str) -> ObjectState | None:
        """See `Store.look`."""
        from botocore.exceptions import ClientError

        if not key.startswith(self.roots):
            return None
        try:
            with told_apart(SERVICE):
                return _state(key, self._client.head_object(**_where(key)))
        except ClientError as error:
            if error.response["Error"].get("Code") in ABSENT:
                return None
            raise

    def link(self, key: str, seconds: int) -> str:
        """A URL by which anybody gets the object for so many seconds, or until our credentials end."""
        url: str = self._client.generate_presigned_url("get_object", Params=_where(key), ExpiresIn=seconds)
        return url

    def page(self, root: str, prefix: str = "", after: str = "") -> list[ObjectState]:
        """See `Store.page`."""
        bucket = root.removeprefix(SCHEME).rstrip("/")
        with told_apart(SERVICE):
            answer = self._client.list_objects_v2(
                Bucket=bucket, Prefix=prefix.removeprefix(root), StartAfter=after.removeprefix(root)
            )
        return [
            ObjectState(root + one["Key"], one["ETag"], one["Size"], _written(one["LastModified"]))
            for one in answer.get("Contents", [])
        ]


def _where(key: str) -> dict[str, str]:
    bucket, _, name = key.removeprefix(SCHEME).partition("/")
    return {"Bucket": bucket, "Key": name}


def _state(key: str, answer: dict[str, Any]) -> ObjectState:
    return ObjectState(key, answer["ETag"], answer["ContentLength"], _written(answer["LastModified"]))


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _all(body: Any, state: ObjectState) -> bytes:  # noqa: ANN401 - botocore's StreamingBody
    from botocore.exceptions import BotoCoreError
    from urllib3.exceptions import HTTPError

    try:
        data: bytes = body.read()
    except (BotoCoreError, HTTPError, OSError) as error:
        raise TransientError(f"{SERVICE}: {error}") from error
    if len(data) != state.size:
        raise TransientError(f"{SERVICE}: {len(data)} bytes came of {state.size}")
    return data
