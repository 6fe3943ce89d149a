"""The local S3 Vectors refuses what Amazon's does, by the same code."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.backends.cloud.server import CloudServer
from local.backends.cloud.vector_rules import throttled

pytestmark = pytest.mark.slow

WHERE = {"vectorBucketName": "strict", "indexName": "four"}
ONE = {
    "key": "a",
    "data": {"float32": [1.0, 0.0, 0.0, 0.0]},
    "metadata": {"n": 1, "tag": ["x", "y"], "etag": "e"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[CloudServer]:
    with CloudServer() as server:
        client = vectors(server)
        client.create_vector_bucket(vectorBucketName="strict")
        made = client.create_index(
            **WHERE,
            dataType="float32",
            dimension=4,
            distanceMetric="cosine",
            metadataConfiguration={"nonFilterableMetadataKeys": ["etag"]},
        )
        assert made["indexArn"].endswith(":bucket/strict/index/four")
        yield server


def vectors(server: CloudServer) -> Any:
    """A client that refuses nothing itself."""
    return boto3.client(
        "s3vectors",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="test-key",
        aws_secret_access_key="test-secret",
        config=Config(parameter_validation=False, retries={"total_max_attempts": 1}),
    )


def several(count: int, **changed: Any) -> list[dict[str, Any]]:
    return [{**ONE, "key": str(number), **changed} for number in range(count)]


def with_vector(*numbers: float) -> list[dict[str, Any]]:
    return [{**ONE, "data": {"float32": list(numbers)}}]


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "no such index": ("put_vectors", {"indexName": "none", "vectors": [ONE]}, "NotFoundException"),
    "no such bucket": ("get_vectors", {"vectorBucketName": "none", "keys": ["a"]}, "NotFoundException"),
    "none to put": ("put_vectors", {"vectors": []}, "ValidationException"),
    "501 to put": ("put_vectors", {"vectors": several(501)}, "ValidationException"),
    "a repeated key": ("put_vectors", {"vectors": [ONE, ONE]}, "ValidationException"),
    "an empty key": ("put_vectors", {"vectors": [{**ONE, "key": ""}]}, "ValidationException"),
    "a long key": ("put_vectors", {"vectors": [{**ONE, "key": "k" * 1025}]}, "ValidationException"),
    "zero norm": ("put_vectors", {"vectors": with_vector(0, 0, 0, 0)}, "ValidationException"),
    "another dimension": ("put_vectors", {"vectors": with_vector(1, 2, 3)}, "ValidationException"),
    "beyond float32": ("put_vectors", {"vectors": with_vector(1e39, 0, 0, 0)}, "ValidationException"),
    "filterable metadata": (
        "put_vectors",
        {"vectors": [{**ONE, "metadata": {"key": "k" * 2048}}]},
        "ValidationException",
    ),
    "all metadata": (
        "put_vectors",
        {"vectors": [{**ONE, "metadata": {"etag": "e" * 41_000}}]},
        "ValidationException",
    ),
    "nested metadata": (
        "put_vectors",
        {"vectors": [{**ONE, "metadata": {"key": {"a": 1}}}]},
        "ValidationException",
    ),
    "101 to get": ("get_vectors", {"keys": [str(n) for n in range(101)]}, "ValidationException"),
    "501 to delete": ("delete_vectors", {"keys": [str(n) for n in range(501)]}, "ValidationException"),
    "none to delete": ("delete_vectors", {"keys": []}, "ValidationException"),
    "a page of 1001": ("list_vectors", {"maxResults": 1001}, "ValidationException"),
    "17 segments": ("list_vectors", {"segmentCount": 17, "segmentIndex": 0}, "ValidationException"),
    "a segment too far": ("list_vectors", {"segmentCount": 4, "segmentIndex": 4}, "ValidationException"),
    "half of a segment": ("list_vectors", {"segmentCount": 4}, "ValidationException"),
    "a made-up token": ("list_vectors", {"nextToken": "made up"}, "ValidationException"),
    "topK of 10,001": ("query_vectors", {"topK": 10_001}, "ValidationException"),
    "topK of 0": ("query_vectors", {"topK": 0}, "ValidationException"),
    "a query of zero norm": (
        "query_vectors",
        {"queryVector": {"float32": [0, 0, 0, 0]}},
        "ValidationException",
    ),
    "a filter on etag": ("query_vectors", {"filter": {"etag": "e"}}, "ValidationException"),
    "an unknown operator": ("query_vectors", {"filter": {"n": {"$like": "x"}}}, "ValidationException"),
    "an empty filter": ("query_vectors", {"filter": {}}, "ValidationException"),
    "a list without one": ("query_vectors", {"filter": {"n": {"$in": 1}}}, "ValidationException"),
    "101 constraints": (
        "query_vectors",
        {"filter": {"$or": [{"n": number} for number in range(101)]}},
        "ValidationException",
    ),
    "the same index": (
        "create_index",
        {"dataType": "float32", "dimension": 4, "distanceMetric": "cosine"},
        "ConflictException",
    ),
    "an underscore": (
        "create_index",
        {"indexName": "a_b", "dataType": "float32", "dimension": 4, "distanceMetric": "cosine"},
        "ValidationException",
    ),
    "4,097 dimensions": (
        "create_index",
        {"indexName": "wide", "dataType": "float32", "dimension": 4097, "distanceMetric": "cosine"},
        "ValidationException",
    ),
    "an index in a bucket that goes": ("delete_vector_bucket", {"indexName": None}, "ConflictException"),
}
QUERY = {"topK": 3, "queryVector": {"float32": [1.0, 0.0, 0.0, 0.0]}}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(server: CloudServer, name: str) -> None:
    operation, changed, code = REFUSED[name]
    asked = {**WHERE, **(QUERY if operation == "query_vectors" else {}), **changed}
    with pytest.raises(ClientError) as refusal:
        getattr(vectors(server), operation)(
            **{key: value for key, value in asked.items() if value is not None}
        )
    assert refusal.value.response["Error"]["Code"] == code


def test_a_refused_put_writes_nothing(server: CloudServer) -> None:
    client = vectors(server)
    wrong = {**ONE, "key": "wrong", "data": {"float32": [0.0] * 4}}
    with pytest.raises(ClientError, match=r"Invalid record for key 'wrong': .*zero norm"):
        client.put_vectors(**WHERE, vectors=[{**ONE, "key": "innocent"}, wrong])
    assert client.get_vectors(**WHERE, keys=["innocent"])["vectors"] == []


def test_numbers_that_are_none(server: CloudServer) -> None:
    text = json.dumps({**WHERE, "vectors": with_vector(float("nan"), 0, 0, 0)})
    answer = httpx.post(f"{server.url}/PutVectors", content=text)
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (400, "ValidationException")


def test_a_throttled_call(server: CloudServer) -> None:
    server.vectors.refuse_next.append(throttled())
    with pytest.raises(ClientError) as refusal:
        vectors(server).list_vectors(**WHERE)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    vectors(server).list_vectors(**WHERE)


@pytest.fixture
def filled(server: CloudServer) -> Iterator[Any]:
    client = vectors(server)
    client.put_vectors(
        **WHERE,
        vectors=[
            {
                "key": str(number),
                "data": {"float32": [1.0, number / 100, 0.0, 0.0]},
                "metadata": {
                    "n": number,
                    "name": f"{number:03}",
                    "even": number % 2 == 0,
                    "tag": ["all", str(number)],
                },
            }
            for number in range(250)
        ],
    )
    yield client
    client.delete_vectors(**WHERE, keys=[str(number) for number in range(250)])


def test_matches_come_in_pages_of_a_hundred(filled: Any) -> None:
    pages: list[Any] = []
    token: dict[str, Any] = {}
    while True:
        page = filled.query_vectors(**WHERE, **QUERY | {"topK": 230}, returnDistance=True, **token)
        pages.append(page["vectors"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert [len(page) for page in pages] == [100, 100, 30]
    assert [hit["key"] for page in pages for hit in page] == [str(number) for number in range(230)]
    assert pages[0][0]["distance"] == pytest.approx(0, abs=1e-6)
    assert "metadata" not in pages[0][0]


@pytest.mark.parametrize(
    ("condition", "keys"),
    [
        ({"n": 3}, {3}),
        ({"n": {"$gte": 3, "$lt": 5}}, {3, 4}),
        ({"n": {"$in": [1, 7, 999]}}, {1, 7}),
        ({"$and": [{"even": True}, {"n": {"$lte": 4}}]}, {0, 2, 4}),
        ({"$or": [{"n": 3}, {"name": "009"}]}, {3, 9}),
        ({"name": {"$startsWith": "24"}}, set(range(240, 250))),
        ({"tag": "17"}, {17}),
        ({"none": {"$exists": True}}, set()),
        ({"n": {"$gt": 247}, "none": {"$exists": False}}, {248, 249}),
        ({"n": {"$nin": list(range(2, 250))}}, {0, 1}),
        ({"n": {"$lt": 2, "$ne": 1}}, {0}),
        ({"even": {"$eq": 1}, "n": {"$lt": 9}}, set()),
    ],
)
def test_filters(filled: Any, condition: dict[str, Any], keys: set[int]) -> None:
    found = filled.query_vectors(**WHERE, **QUERY | {"topK": 100}, filter=condition)["vectors"]
    assert {int(hit["key"]) for hit in found} == keys


def test_an_old_index_knows_prefixes_where_it_is_asked_to(server: CloudServer, filled: Any) -> None:
    server.vectors.mode = "CLASSIC"
    try:
        condition = {"name": {"$startsWith": "24"}}
        with pytest.raises(ClientError):
            filled.query_vectors(**WHERE, **QUERY, filter=condition)
        found = filled.query_vectors(**WHERE, **QUERY, filter=condition, queryMode="ENHANCED")["vectors"]
        assert len(found) == 3
    finally:
        server.vectors.mode = "ENHANCED"
