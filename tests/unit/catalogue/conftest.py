"""The two indexes, the two ledgers, and the cloud that the others live in."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Index
from image_similarity.catalogue.ledger import Ledger
from image_similarity.catalogue.ledger_dynamodb import DynamoLedger
from image_similarity.catalogue.ledger_file import FileLedger
from image_similarity.catalogue.on_aws import INDEXING, client_config
from image_similarity.catalogue.s3_vectors import S3VectorsIndex
from image_similarity.inference.manifest import DIMENSIONS
from local.backends.cloud.server import CloudServer
from tests.support.catalogue.aws import TABLE

REGION = "us-east-1"
BUCKET = "vectors-of-a-test"
_numbers = count()


@pytest.fixture(scope="session")
def cloud() -> Iterator[CloudServer]:
    with CloudServer() as server:
        yield server


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the tests of this folder alone: those that come after it in the same process have none."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)


def vectors_client(url: str) -> Any:
    """The client of S3 Vectors that the indexing function has."""
    config = client_config(INDEXING)
    return boto3.client("s3vectors", endpoint_url=url, region_name=REGION, config=config)


@pytest.fixture
def s3_vectors(cloud: CloudServer) -> S3VectorsIndex:
    client, name = vectors_client(cloud.url), f"pictures-{next(_numbers):08x}"
    buckets = {bucket["vectorBucketName"] for bucket in client.list_vector_buckets()["vectorBuckets"]}
    if BUCKET not in buckets:  # at first, and again once somebody else in this process has reset moto
        client.create_vector_bucket(vectorBucketName=BUCKET)
    client.create_index(
        vectorBucketName=BUCKET,
        indexName=name,
        dataType="float32",
        dimension=DIMENSIONS,
        distanceMetric="cosine",
        metadataConfiguration={"nonFilterableMetadataKeys": ["etag"]},
    )
    return S3VectorsIndex(client, BUCKET, name)


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[EmbeddedIndex]:
    with EmbeddedIndex(tmp_path / "index.db", "pictures-00000000") as index:
        yield index


@pytest.fixture(params=["embedded", pytest.param("s3_vectors", marks=pytest.mark.slow)])
def index(request: pytest.FixtureRequest) -> Index:
    found: Index = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def table(cloud: CloudServer) -> Any:
    resource = boto3.resource("dynamodb", endpoint_url=cloud.url, region_name=REGION)
    return resource.create_table(TableName=f"ledger-{next(_numbers)}", **TABLE)


@pytest.fixture(params=["file", pytest.param("dynamodb", marks=pytest.mark.slow)])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "file":
        return FileLedger(tmp_path / "ledger.db")
    return DynamoLedger(request.getfixturevalue("table"))
