"""An index in Amazon S3 Vectors, by boto3."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from image_similarity.catalogue.aws_errors import RefusedError, told_apart
from image_similarity.catalogue.index import (
    DECIMALS,
    Entry,
    Limits,
    Match,
    Page,
    Record,
    Vector,
    accepted,
    batches,
    best,
    directed,
)

Client = Any  # boto3's for "s3vectors"
LONGEST_KEY = 1_000
"""Bytes of a vector's own key. Amazon allows 1,024 without saying whether of bytes or of characters."""
HASHED = "sha256:"
"""How the vector's key of a longer key begins; none of `s3://bucket/key` does."""
SERVICE = "S3 Vectors"
SLACK = 10
"""More matches than asked for: of equally similar ones at the cut, keys decide and not Amazon's order."""
WIDE = 1_000
"""Matches among which a prefix is looked for where the index can't filter by it."""
PREFIX_MODES: tuple[dict[str, str], ...] = ({}, {"queryMode": "ENHANCED"})
"""Indexes made since 2026-09-30 know `$startsWith`; an older one does for the query that asks for it."""


class S3VectorsIndex:
    """An index of a vector bucket: float32, 512 dimensions, cosine, with `etag` not filterable."""

    limits = Limits()

    def __init__(self, client: Client, bucket: str, name: str) -> None:
        self._client = client
        self._where: dict[str, Any] = {"vectorBucketName": bucket, "indexName": name}

    def put(self, records: Sequence[Record]) -> dict[str, str]:
        """See `Index.put`."""
        taken, refused = accepted(records, self.limits)
        for batch in batches(taken, self.limits.put):
            refused |= self._put(batch)
        return refused

    def _put(self, batch: Sequence[Record]) -> dict[str, str]:
        """Amazon takes all or nothing: where it refuses, halves find the record that it refuses."""
        try:
            with told_apart(SERVICE):
                self._client.put_vectors(**self._where, vectors=[_written(record) for record in batch])
        except RefusedError as error:
            if len(batch) == 1:
                return {batch[0].entry.key: str(error)}
            middle = len(batch) // 2
            return self._put(batch[:middle]) | self._put(batch[middle:])
        return {}

    def delete(self, keys: Iterable[str]) -> None:
        """See `Index.delete`."""
        for batch in batches(dict.fromkeys(map(vector_key, keys)), self.limits.put):
            with told_apart(SERVICE):
                self._client.delete_vectors(**self._where, keys=batch)

    def get(self, keys: Iterable[str]) -> dict[str, Entry]:
        """See `Index.get`."""
        entries: dict[str, Entry] = {}
        for batch in batches(dict.fromkeys(map(vector_key, keys)), self.limits.get):
            with told_apart(SERVICE):
                answer = self._client.get_vectors(**self._where, keys=batch, returnMetadata=True)
            entries |= {entry.key: entry for entry in map(_entry, answer["vectors"])}
        return entries

    def vector(self, key: str) -> Vector | None:
        """See `Index.vector`."""
        with told_apart(SERVICE):
            answer = self._client.get_vectors(**self._where, keys=[vector_key(key)], returnData=True)
        if not answer["vectors"]:
            return None
        return np.array(answer["vectors"][0]["data"]["float32"], dtype=np.float32)

    def page(self, token: str | None = None, segment: int = 0, segments: int = 1) -> Page:
        """See `Index.page`."""
        part: dict[str, Any] = {"segmentCount": segments, "segmentIndex": segment}
        if token:
            part["nextToken"] = token
        with told_apart(SERVICE):
            answer = self._client.list_vectors(
                **self._where, **part, maxResults=self.limits.page, returnMetadata=True
            )
        return Page(tuple(map(_entry, answer["vectors"])), answer.get("nextToken"))

    def query(self, vector: Vector, limit: int, prefix: str = "") -> list[Match]:
        """See `Index.query`; nearly exact: Amazon's recall of the ten nearest is about 0.99.

        Where the index knows no filter by prefix, the matches are those among the nearest `WIDE`.
        """
        if not prefix:
            return best(self._nearest(vector, limit + SLACK), limit)
        for mode in PREFIX_MODES:
            try:
                found = self._nearest(vector, limit + SLACK, filter={"key": {"$startsWith": prefix}}, **mode)
            except RefusedError:
                continue
            return best(found, limit)
        wide = self._nearest(vector, WIDE)
        return best((match for match in wide if match.entry.key.startswith(prefix)), limit)

    def _nearest(self, vector: Vector, count: int, **narrowed: Any) -> list[Match]:  # noqa: ANN401
        query = {
            **self._where,
            **narrowed,
            "topK": min(count, self.limits.top),
            "queryVector": {"float32": directed(vector).astype(np.float32).tolist()},
            "returnMetadata": True,
            "returnDistance": True,
        }
        found: list[Match] = []
        while True:
            with told_apart(SERVICE):
                answer = self._client.query_vectors(**query)
            found += [Match(_entry(hit), _similarity(hit["distance"])) for hit in answer["vectors"]]
            if "nextToken" not in answer:
                return found
            query["nextToken"] = answer["nextToken"]


def vector_key(key: str) -> str:
    """The key that Amazon gets: this one, or its hash where it is too long."""
    data = key.encode()
    return key if len(data) <= LONGEST_KEY else HASHED + hashlib.sha256(data).hexdigest()


def _written(record: Record) -> Any:  # noqa: ANN401 - botocore's own shape
    entry = record.entry
    metadata = {"key": entry.key, "etag": entry.etag, "size": entry.size, "modified": entry.modified}
    data = {"float32": record.vector.astype(np.float32).tolist()}
    return {"key": vector_key(entry.key), "data": data, "metadata": metadata}


def _entry(answer: Mapping[str, Any]) -> Entry:
    kept = answer["metadata"]
    return Entry(kept["key"], kept["etag"], int(kept["size"]), kept["modified"])


def _similarity(distance: float) -> float:
    """Amazon's cosine distance is 1 - cosine, as a float32: it may be a little under 0 or over 2."""
    return round(min(max(1 - distance / 2, 0.0), 1.0), DECIMALS)
