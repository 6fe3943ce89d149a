"""A catalogue's resources in the local cloud, and its Lambda adapter in this process."""

import importlib.util
import io
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import boto3
from PIL import Image

from image_similarity.inference.manifest import DIMENSIONS
from local.backends.cloud.server import CloudServer
from tests.support.adapters import fresh_s3_client
from tests.support.world import S3_ENVIRONMENT

ROOT = Path(__file__).resolve().parents[3]
REGION, ACCOUNT, INDEX = "us-east-1", "123456789012", "pictures-0"
TABLE = {
    "BillingMode": "PAY_PER_REQUEST",
    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "id", "KeyType": "RANGE"}],
    "AttributeDefinitions": [
        {"AttributeName": "kind", "AttributeType": "S"},
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "LocalSecondaryIndexes": [
        {
            "IndexName": "newest",
            "KeySchema": [
                {"AttributeName": "kind", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}
"""The ledger, as the stack makes it."""


@dataclass
class Context:
    """The part of Lambda's context that the adapter uses."""

    milliseconds: int = 300_000
    aws_request_id: str = "5f1f0c3e-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


@dataclass
class OnAws:
    """A catalogue of the buckets `photos` and `albums` (their names end in digits of their own)."""

    cloud: CloudServer
    digits: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    def __post_init__(self) -> None:
        self.bucket, self.album = f"photos-{self.digits}", f"albums-{self.digits}"
        self.s3, self.sqs = self._client("s3"), self._client("sqs")
        self.vectors = self._client("s3vectors")
        for bucket in (self.bucket, self.album, f"others-{self.digits}"):
            self.s3.create_bucket(Bucket=bucket)
        self.queue_url = self._make_queue()
        self.table = boto3.resource(
            "dynamodb",
            endpoint_url=self.cloud.url,
            region_name=REGION,
            aws_access_key_id="test-key",
            aws_secret_access_key="test-secret",
        ).create_table(TableName=self.digits, **TABLE)
        self.vectors.create_vector_bucket(vectorBucketName=self.bucket)
        self.vectors.create_index(
            vectorBucketName=self.bucket,
            indexName=INDEX,
            dataType="float32",
            dimension=DIMENSIONS,
            distanceMetric="cosine",
            metadataConfiguration={"nonFilterableMetadataKeys": ["etag"]},
        )

    def _make_queue(self) -> str:
        attributes = {"VisibilityTimeout": "1820"}
        url: str = self.sqs.create_queue(QueueName=self.digits, Attributes=attributes)["QueueUrl"]
        return url

    def _client(self, name: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]  # any of them, by its name
            name,
            endpoint_url=self.cloud.url,
            region_name=REGION,
            aws_access_key_id="test-key",
            aws_secret_access_key="test-secret",
        )

    @property
    def environment(self) -> dict[str, str]:
        """As the stack gives it to both functions, and where the services are here."""
        arn = f"arn:aws:s3vectors:{REGION}:{ACCOUNT}:bucket/{self.bucket}/index/{INDEX}"
        return {
            **S3_ENVIRONMENT,
            "AWS_ENDPOINT_URL": self.cloud.url,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
            "IMAGE_BUCKETS": f"{self.bucket},{self.album}",
            "STACK_NAME": "a-stack",
            "CATALOGUE_INDEX_ARN": arn,
            "CATALOGUE_TABLE": self.digits,
            "CATALOGUE_QUEUE_URL": self.queue_url,
        }

    def key(self, name: str) -> str:
        return f"s3://{self.bucket}/{name}"

    def put(self, name: str, body: bytes) -> str:
        """Write an object, of which nobody tells; its key in the catalogue."""
        self.s3.put_object(Bucket=self.bucket, Key=name, Body=body)
        return self.key(name)

    def receive(self, most: int = 100) -> dict[str, Any]:
        """The event of a batch of the queue's messages, as Lambda's pollers make it."""
        records: list[dict[str, Any]] = []
        while len(records) < most:
            batch = self.sqs.receive_message(
                QueueUrl=self.queue_url,
                MaxNumberOfMessages=min(10, most - len(records)),
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            ).get("Messages", [])
            if not batch:
                break
            records += [
                {
                    "messageId": one["MessageId"],
                    "receiptHandle": one["ReceiptHandle"],
                    "body": one["Body"],
                    "attributes": one["Attributes"],
                    "eventSource": "aws:sqs",
                }
                for one in batch
            ]
        return {"Records": records}

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.sqs.send_message(QueueUrl=self.queue_url, MessageBody=body)

    def clear(self) -> None:
        """Empty the buckets, the index, the ledger and the queue."""
        for bucket in (self.bucket, self.album):
            for one in self.s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                self.s3.delete_object(Bucket=bucket, Key=one["Key"])
        where = {"vectorBucketName": self.bucket, "indexName": INDEX}
        if keys := [one["key"] for one in self.vectors.list_vectors(**where)["vectors"]]:
            self.vectors.delete_vectors(**where, keys=keys)
        for item in self.table.scan()["Items"]:
            self.table.delete_item(Key={"kind": item["kind"], "id": item["id"]})
        self.sqs.delete_queue(QueueUrl=self.queue_url)  # a purge is allowed once a minute
        self._make_queue()

    def waiting(self) -> int:
        """Messages in the queue, those included that somebody holds."""
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.queue_url, AttributeNames=["All"])
        counts = (name for name in attributes["Attributes"] if name.startswith("ApproximateNumber"))
        return sum(int(attributes["Attributes"][name]) for name in counts)


def gradient(seed: int) -> bytes:
    """A picture of its own for every number."""
    red, green = Image.linear_gradient("L"), Image.radial_gradient("L")
    blue = Image.new("L", red.size, seed % 256)
    channels = [red.rotate(90 * (seed % 4)), green, blue]
    file = io.BytesIO()
    Image.merge("RGB", channels).resize((64, 64)).save(file, "PNG")
    return file.getvalue()


@contextmanager
def adapter(environment: Mapping[str, str]) -> Iterator[ModuleType]:
    """`lambda/catalogue.py`, imported as Lambda does, in that environment."""
    spec = importlib.util.spec_from_file_location("lambda_catalogue", ROOT / "lambda" / "catalogue.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with mock.patch.dict(os.environ, environment), fresh_s3_client():
        spec.loader.exec_module(module)
        yield module
        module.decoder.close()
        module.pool.shutdown()


@contextmanager
def running() -> Iterator[OnAws]:
    with CloudServer() as cloud:
        yield OnAws(cloud)


def index_waiting(aws: OnAws, module: ModuleType) -> None:
    """Let the queue's function work until nothing waits; it fails none of it."""
    while records := aws.receive()["Records"]:
        assert module.index({"Records": records}, Context()) == {"batchItemFailures": []}
