"""A catalogue on AWS: what its functions are told by the environment, and the services behind it."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from image_similarity.catalogue.ledger_dynamodb import DynamoLedger
from image_similarity.catalogue.s3_objects import S3Objects
from image_similarity.catalogue.s3_vectors import S3VectorsIndex
from image_similarity.catalogue.sqs import SqsQueue
from image_similarity.inference.sources.policy import SettingError

INDEX_ARN = re.compile(r"arn:[\w-]+:s3vectors:[\w-]+:\d{12}:bucket/([a-z0-9.-]+)/index/([a-z0-9.-]+)")
CONNECTIONS = 16


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a catalogue lives.

    Attributes:
        buckets: whose pictures it holds.
        vector_bucket: the bucket of S3 Vectors.
        index: the name of the index there.
        table: the ledger's name.
        queue_url: of the queue.
    """

    buckets: tuple[str, ...]
    vector_bucket: str
    index: str
    table: str
    queue_url: str

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "Settings":
        """Read IMAGE_BUCKETS, CATALOGUE_INDEX_ARN, CATALOGUE_TABLE and CATALOGUE_QUEUE_URL.

        Raises:
            SettingError: one of them is missing or can't be used.
        """
        arn = _set(environ, "CATALOGUE_INDEX_ARN")
        place = INDEX_ARN.fullmatch(arn)
        if place is None:
            raise SettingError(f"CATALOGUE_INDEX_ARN is {arn[:200]!a}, which is no index of S3 Vectors.")
        names = [name.strip() for name in _set(environ, "IMAGE_BUCKETS").split(",")]
        return cls(
            tuple(dict.fromkeys(filter(None, names))),
            *(place[1], place[2]),
            table=_set(environ, "CATALOGUE_TABLE"),
            queue_url=_set(environ, "CATALOGUE_QUEUE_URL"),
        )


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the services are waited for.

    Attributes:
        connect: seconds for connecting.
        read: seconds for each read.
        attempts: of a call in all.
        mode: botocore's; `adaptive` also slows down where a service throttles.
    """

    connect: float
    read: float
    attempts: int
    mode: Literal["standard", "adaptive"]


INDEXING = Patience(connect=5, read=20, attempts=6, mode="adaptive")
ANSWERING = Patience(connect=2, read=6, attempts=3, mode="standard")
"""While a caller waits, whom API Gateway answers after 29 seconds in any case."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The services of one catalogue; `name` is the index's."""

    name: str
    store: S3Objects
    index: S3VectorsIndex
    ledger: DynamoLedger
    queue: SqsQueue


def client_config(patience: Patience) -> Any:  # noqa: ANN401 - botocore's Config
    """How boto3's clients wait and try again."""
    from botocore.config import Config

    return Config(
        connect_timeout=patience.connect,
        read_timeout=patience.read,
        retries={"mode": patience.mode, "total_max_attempts": patience.attempts},
        max_pool_connections=CONNECTIONS,
        proxies={},  # none from the environment, as for a request's s3://
    )


def connect(settings: Settings, patience: Patience) -> Parts:
    """Make the clients, which call nothing yet; endpoints, region and credentials are the environment's."""
    import boto3

    config, session = client_config(patience), boto3.session.Session()
    s3 = session.client("s3", config=config.merge(_linking(os.environ)))
    vectors = session.client("s3vectors", config=config)
    return Parts(
        settings.index,
        S3Objects(s3, settings.buckets),
        S3VectorsIndex(vectors, settings.vector_bucket, settings.index),
        DynamoLedger(session.resource("dynamodb", config=config).Table(settings.table)),
        SqsQueue(session.client("sqs", config=config), settings.queue_url),
    )


def _linking(environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - botocore's Config
    """How links to objects are made, so that every region takes them.

    Newer regions refuse links of the older signatures, and links to S3's global host, which botocore takes
    unless these are set; from there a new bucket is redirected, for which a link is not signed. The page of
    the Explorer lets pictures in from these hosts alone (api_explorer/handler.py).
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
    """
    from botocore.config import Config

    style: Literal["auto", "virtual"] = "auto" if environ.get("AWS_ENDPOINT_URL") else "virtual"
    where: Any = {"us_east_1_regional_endpoint": "regional", "addressing_style": style}
    return Config(signature_version="s3v4", s3=where)


def _set(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "").strip()
    if not value:
        raise SettingError(f"{name} is not set.")
    return value
