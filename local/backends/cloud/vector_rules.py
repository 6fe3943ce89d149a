"""What Amazon S3 Vectors refuses, and with which codes.

From its API reference, and the user guide's "Limitations and restrictions".
"""

import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BODY = 20 * 1024**2
MAX_PUT, MAX_GET, MAX_PAGE, DEFAULT_PAGE = 500, 100, 1000, 500
MAX_TOP, QUERY_PAGE = 10_000, 100
MAX_KEY, MAX_SEGMENTS, MAX_DIMENSION = 1024, 16, 4096
MAX_METADATA, MAX_FILTERABLE, MAX_METADATA_KEYS = 40 * 1024, 2 * 1024, 50
NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Refusal(Exception):
    """An error of the service."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def invalid(message: str) -> Refusal:
    """What the service says of a request that is wrong."""
    return Refusal(400, "ValidationException", message)


def throttled() -> Refusal:
    """What the service says when it is asked too often."""
    return Refusal(429, "TooManyRequestsException", "Request rate exceeded")


def body(data: bytes) -> dict[str, Any]:
    """The request's body."""
    if len(data) > MAX_BODY:
        raise invalid(f"Request payload must not exceed {MAX_BODY} bytes")

    def no_number(text: str) -> float:
        raise invalid(f"{text} is not a number of JSON")

    try:
        content = json.loads(data or b"{}", parse_constant=no_number)
    except ValueError:
        raise Refusal(400, "SerializationException", "The request's body is not JSON") from None
    if not isinstance(content, dict):
        raise Refusal(400, "SerializationException", "The request's body is not an object")
    return content


def creation(asked: Mapping[str, Any]) -> None:
    """CreateIndex."""
    if not NAME.fullmatch(str(asked.get("indexName", ""))):
        raise invalid("Invalid index name")
    _between("dimension", asked.get("dimension"), 1, MAX_DIMENSION)
    for field, allowed in (("dataType", ("float32",)), ("distanceMetric", ("cosine", "euclidean"))):
        if asked.get(field) not in allowed:
            raise invalid(f"Value at '/{field}' must be one of {', '.join(allowed)}")


def put(asked: Mapping[str, Any], dimension: int, metric: str, unfiltered: frozenset[str]) -> None:
    """PutVectors: all or nothing."""
    vectors = _several("vectors", asked.get("vectors"), MAX_PUT)
    keys = [_key(one.get("key")) for one in vectors]
    if len(set(keys)) != len(keys):
        raise invalid("Duplicate keys in the request")
    for key, one in zip(keys, vectors, strict=True):
        try:
            _vector(one.get("data"), dimension, metric)
            _metadata(one.get("metadata") or {}, unfiltered)
        except Refusal as refusal:
            raise invalid(f"Invalid record for key '{key}': {refusal.message}") from None


def keys(asked: Mapping[str, Any], most: int) -> None:
    """GetVectors and DeleteVectors."""
    for key in _several("keys", asked.get("keys"), most):
        _key(key)


def listing(asked: Mapping[str, Any]) -> None:
    """ListVectors."""
    _between("maxResults", asked.get("maxResults", DEFAULT_PAGE), 1, MAX_PAGE)
    if ("segmentCount" in asked) != ("segmentIndex" in asked):
        raise invalid("segmentCount and segmentIndex must be specified together")
    count = _between("segmentCount", asked.get("segmentCount", 1), 1, MAX_SEGMENTS)
    _between("segmentIndex", asked.get("segmentIndex", 0), 0, count - 1)


def query(asked: Mapping[str, Any], dimension: int, metric: str) -> NDArray[np.float32]:
    """QueryVectors; the vector that is asked for."""
    _between("topK", asked.get("topK"), 1, MAX_TOP)
    try:
        return _vector(asked.get("queryVector"), dimension, metric)
    except Refusal as refusal:
        raise invalid(f"Invalid query vector: {refusal.message}") from None


def _vector(data: object, dimension: int, metric: str) -> NDArray[np.float32]:
    numbers = data.get("float32") if isinstance(data, dict) else None
    if not isinstance(numbers, list):
        raise invalid("vector data must be float32")
    if len(numbers) != dimension:
        raise invalid(f"vector must have length {dimension}, but has length {len(numbers)}")
    with np.errstate(over="ignore"):
        vector = np.array(numbers, dtype=np.float32)
    if not np.isfinite(vector).all():
        raise invalid("vector must only contain finite values")
    if metric == "cosine" and not vector.any():
        raise invalid("cosine distance does not support vectors with zero norm")
    return vector


def _metadata(metadata: object, unfiltered: frozenset[str]) -> None:
    if not isinstance(metadata, dict):
        raise invalid("metadata must be an object")
    if len(metadata) > MAX_METADATA_KEYS:
        raise invalid(f"Metadata must have at most {MAX_METADATA_KEYS} keys")
    filterable = {key: value for key, value in metadata.items() if key not in unfiltered}
    for key, value in filterable.items():
        for one in value if isinstance(value, list) else [value]:
            if not isinstance(one, str | int | float | bool):
                raise invalid(f"Invalid value of filterable metadata '{key}'")
    for what, part, limit in (
        ("Filterable metadata", filterable, MAX_FILTERABLE),
        ("Metadata", metadata, MAX_METADATA),
    ):
        size = len(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode())
        if size > limit:
            raise invalid(f"{what} must have at most {limit} bytes")


def _several(field: str, value: object, most: int) -> list[Any]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise invalid(f"Value at '/{field}' must have between 1 and {most} members")
    return value


def _key(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= MAX_KEY:
        raise invalid(f"A key must have length between 1 and {MAX_KEY}")
    return value


def _between(field: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise invalid(f"Value at '/{field}' must be between {least} and {most}")
    return value
