"""What the catalogue asks of an index of vectors, and what every index refuses."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference import similarity
from image_similarity.inference.manifest import DIMENSIONS, Manifest

DECIMALS = 6
_MOVES_NO_VECTOR = ("parity", "tried", "halves")
"""How exact an export was measured to be, which differs by processor; and the halves, which are the whole."""
Vector = NDArray[np.float32]
T = TypeVar("T")


class TransientError(Exception):
    """What was asked may be done later: throttled, timed out, not reachable. The message is for a log."""


class IndexFileError(Exception):
    """The file of an index can't be used, now or later; the message says why, to its owner.

    It is something else, has vectors of another model, is damaged, or its disk is full.
    """


@dataclass(frozen=True, slots=True)
class Limits:
    """What one call may carry; an implementation splits what it is given by these.

    The defaults are those of Amazon S3 Vectors (user guide, "Limitations and restrictions").

    Attributes:
        put: records of a put or keys of a delete.
        get: keys of a get.
        page: entries of a page of a list.
        top: matches of a query.
        key_bytes: the longest key in UTF-8.
        segments: parts that an index can be listed in side by side.
    """

    put: int = 500
    get: int = 100
    page: int = 1000
    top: int = 10_000
    key_bytes: int = 1_900
    segments: int = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture as the index knows it.

    Attributes:
        key: `s3://bucket/key`, or a name that a folder's owner chose.
        etag: of the object that the vector was made from, as its store writes it.
        size: of that object in bytes.
        modified: when that object was written, ISO 8601 in UTC.
    """

    key: str
    etag: str
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Record:
    """An entry and its vector, float32 [512]."""

    entry: Entry
    vector: Vector


@dataclass(frozen=True, slots=True)
class Match:
    """An entry and its similarity to the query's vector: (1 + cosine) / 2, rounded to six decimals."""

    entry: Entry
    similarity: float


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list in no order that counts; `token` is None on the last page of its segment."""

    entries: tuple[Entry, ...]
    token: str | None


class Index(Protocol):
    """Vectors by key. What was written is seen by every later read; every method raises TransientError."""

    @property
    def limits(self) -> Limits:
        """What one call carries, and how long a key may be."""

    def put(self, records: Sequence[Record]) -> dict[str, str]:
        """Write records, in place of those of the same keys; of a repeated key the last one wins.

        Returns:
            Why records were refused, by key; all others are written. Empty where all were.
        """

    def delete(self, keys: Iterable[str]) -> None:
        """Remove what is there of these keys."""

    def get(self, keys: Iterable[str]) -> dict[str, Entry]:
        """The entries of those keys that are indexed."""

    def vector(self, key: str) -> Vector | None:
        """The vector of a key, float32 [512]; None where it is not indexed."""

    def page(self, token: str | None = None, segment: int = 0, segments: int = 1) -> Page:
        """One page of one of `segments` parts, which together hold every entry once."""

    def query(self, vector: Vector, limit: int, prefix: str = "") -> list[Match]:
        """The most similar entries whose keys begin with `prefix`, the best first, equal ones by key."""


def index_name(manifest: Manifest) -> str:
    """The name of the index that holds vectors of this artifact, and of no other.

    Model, weights, precision, exporter and preprocessing all move vectors; the files' hashes speak for the
    exporter, which has no version of its own. How exact an export was measured to be is no part of it,
    nor are halves, whose vectors are those of the whole.
    """
    facts = {name: value for name, value in asdict(manifest).items() if name not in _MOVES_NO_VECTOR}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return f"pictures-{digest[:8]}"


def accepted(records: Sequence[Record], limits: Limits) -> tuple[list[Record], dict[str, str]]:
    """The records that an index takes, the last of each key, and why the others are refused, by key."""
    latest = {record.entry.key: record for record in records}
    refused = {key: why for key, record in latest.items() if (why := refusal(record, limits))}
    return [record for key, record in latest.items() if key not in refused], refused


def refusal(record: Record, limits: Limits) -> str | None:
    """Why an index can't take this record; None where it can."""
    try:
        length = len(record.entry.key.encode())
    except UnicodeEncodeError:
        return "the key is not text that UTF-8 can write"
    if not 1 <= length <= limits.key_bytes:
        return f"the key has {length} bytes, expected 1 to {limits.key_bytes}"
    return vector_refusal(record.vector)


def vector_refusal(vector: Vector) -> str | None:
    """Why a vector has no cosine to others; None where it has."""
    if vector.shape != (DIMENSIONS,):
        return f"the vector has the shape {list(vector.shape)}, expected [{DIMENSIONS}]"
    if not np.isfinite(vector).all():
        return "the vector has numbers that are not finite"
    with np.errstate(over="ignore", under="ignore"):
        norm = np.linalg.norm(vector.astype(np.float32))
    if norm == 0 or not np.isfinite(norm):
        return "the vector has no direction: its length is zero or beyond float32"
    return None


def directed(vector: Vector) -> Vector:
    """The vector of a query, which must have a direction; ValueError where it has none."""
    if why := vector_refusal(vector):
        raise ValueError(why)
    return vector


def best(matches: Iterable[Match], limit: int) -> list[Match]:
    """The most similar first; those that six decimals can't tell apart by key, so that no order is chance."""
    return sorted(matches, key=lambda match: (-match.similarity, match.entry.key))[:limit]


def rounded_score(a: Vector, b: Vector) -> float:
    """The similarity of two vectors as the API writes it."""
    return round(similarity.score(a, b), DECIMALS)


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in order, so many at a time."""
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
