"""s3:// against a real server of the S3 protocol on loopback."""

import gzip
import socket
import time
from collections.abc import Iterator

import boto3
import pytest
from botocore.stub import ANY, Stubber
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client
from mypy_boto3_s3.literals import StorageClassType

from image_similarity.inference import sources
from image_similarity.inference.errors import ApiError, PayloadTooLarge, SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, s3

pytestmark = pytest.mark.slow

FILE = bytes(range(256)) * 20
POLICY = SourcePolicy(
    buckets=frozenset({"pictures", "elsewhere", "gone"}), max_bytes=10_000, timeout_seconds=60
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    s3._make_client.cache_clear()
    yield
    s3._make_client.cache_clear()


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> S3Client:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    client = boto3.client("s3")
    for name in ("pictures", "secrets"):
        client.create_bucket(Bucket=name)
    return client


def read(url: str, policy: SourcePolicy = POLICY) -> bytes:
    return sources.read_all([Source.by_url("url_2", url)], policy)[0]


def fails(url: str, error: type[ApiError], words: str, policy: SourcePolicy = POLICY) -> str:
    with pytest.raises(error, match=words) as caught:
        read(url, policy)
    message = str(caught.value)
    assert message.startswith("url_2: ")
    assert "hidden" not in message
    return message


@pytest.mark.parametrize(
    "key", ["cat.jpg", "a/b/c d.jpg", "Käse+&=?#%20.png", "/leading", "a//b", "x" * 1024]
)
def test_objects_by_their_keys_as_they_are(key: str, bucket: S3Client) -> None:
    bucket.put_object(Bucket="pictures", Key=key, Body=FILE)
    assert read(f"s3://pictures/{key}") == FILE


def test_proxies_of_the_environment_are_ignored(bucket: S3Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket.put_object(Bucket="pictures", Key="cat.jpg", Body=FILE)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert read("s3://pictures/cat.jpg") == FILE


def test_size_is_told_before_the_object_is_read(bucket: S3Client) -> None:
    bucket.put_object(Bucket="pictures", Key="just", Body=bytes(POLICY.max_bytes))
    bucket.put_object(Bucket="pictures", Key="over", Body=bytes(POLICY.max_bytes + 1))
    assert len(read("s3://pictures/just")) == POLICY.max_bytes
    fails("s3://pictures/over", PayloadTooLarge, "more than 10000 bytes")


FORMS = [
    "s3://",
    "s3://pictures",
    "s3://pictures/",
    "s3:///hidden",
    "s3:///",
    "s3://pictures/../secrets/hidden",
]
FORMS += [
    "s3://pictures/./hidden",
    "s3://pictures/" + "x" * 1025,
    "s3://pictures/\ud800",
    "s3://pictures/a/..",
]


@pytest.mark.parametrize("url", FORMS)
def test_urls_that_are_no_object(url: str, bucket: S3Client) -> None:
    fails(url, SourceNotAllowed, "not of the form s3://bucket/key")


OTHERS = [
    "secrets",
    "Pictures",
    "pictures.",
    "pictures ",
    "pictures@secrets",
    "arn:aws:s3:::secrets",
    "pictures?",
    "a b",
]


@pytest.mark.parametrize("name", OTHERS)
def test_buckets_that_are_not_listed(name: str, bucket: S3Client) -> None:
    bucket.put_object(Bucket="secrets", Key="hidden", Body=FILE)
    fails(f"s3://{name}/hidden", SourceNotAllowed, "not a bucket that this deployment reads")


def test_no_bucket_is_listed_by_default(bucket: S3Client) -> None:
    fails("s3://pictures/cat.jpg", SourceNotAllowed, "ImageBuckets", SourcePolicy())


def refused_by_s3(code: str, status: int, operation: str = "head_object") -> None:
    """The client that `read` will use answers with this error."""
    client = s3._make_client()
    stub = Stubber(client)
    if operation == "get_object":
        head = {"ContentLength": 9, "ETag": '"x"'}
        stub.add_response("head_object", head, {"Bucket": ANY, "Key": ANY})
    stub.add_client_error(operation, code, "bucket elsewhere", status)
    stub.activate()


def test_absent_and_forbidden_objects_are_told_alike(bucket: S3Client) -> None:
    absent = fails("s3://pictures/hidden", SourceUnavailable, "no such object")
    assert fails("s3://gone/hidden", SourceUnavailable, "no such object") == absent
    refused_by_s3("403", 403)
    assert fails("s3://pictures/hidden", SourceUnavailable, "no such object") == absent


@pytest.mark.parametrize(("code", "status", "words"), [
    ("InvalidObjectState", 403, "archived"),
    ("AccessDenied", 403, "no such object"),
    ("KMS.DisabledException", 400, "no such object.*encrypted with a KMS key"),
    ("KMS.KMSInvalidStateException", 400, "no such object.*kms:Decrypt"),
    ("PreconditionFailed", 412, "does not answer as it should"),
    ("SlowDown", 503, "does not answer as it should"),
    ("InternalError", 500, "does not answer as it should"),
])  # fmt: skip
def test_refusals_of_the_read_itself(code: str, status: int, words: str, bucket: S3Client) -> None:
    refused_by_s3(code, status, "get_object")
    fails("s3://pictures/hidden", SourceUnavailable, words)


def test_what_kms_refuses_is_told_as_what_is_absent(bucket: S3Client) -> None:
    absent = fails("s3://pictures/hidden", SourceUnavailable, "no such object.*KMS key needs kms:Decrypt")
    for code, status in (("AccessDenied", 403), ("KMS.NotFoundException", 400)):
        s3._make_client.cache_clear()
        refused_by_s3(code, status, "get_object")
        assert fails("s3://pictures/hidden", SourceUnavailable, "KMS") == absent


@pytest.mark.parametrize("value", ["", "aws-chunked", "utf-8", "none"])
def test_content_encodings_that_are_no_compression(value: str, bucket: S3Client) -> None:
    bucket.put_object(Bucket="pictures", Key="cat.jpg", Body=FILE, ContentEncoding=value)
    assert read("s3://pictures/cat.jpg") == FILE


@pytest.mark.parametrize("value", ["gzip", "aws-chunked,gzip", "GZIP"])
def test_compressed_objects_are_unpacked(value: str, bucket: S3Client) -> None:
    bucket.put_object(
        Bucket="pictures", Key="cat.jpg.gz", Body=gzip.compress(FILE, mtime=0), ContentEncoding=value
    )
    assert read("s3://pictures/cat.jpg.gz") == FILE


@pytest.mark.parametrize(
    ("value", "body", "error", "words"),
    [
        ("br", FILE, SourceUnavailable, r"the object is compressed \(br\)"),
        ("gzip", FILE, SourceUnavailable, r"the object is declared as compressed \(gzip\), but is not"),
        ("gzip", gzip.compress(FILE, mtime=0)[:-9], SourceUnavailable, "breaks off within"),
        (
            "gzip",
            gzip.compress(bytes(POLICY.max_bytes + 1), mtime=0),
            PayloadTooLarge,
            "more than 10000 bytes",
        ),
        ("gzip", gzip.compress(b"", mtime=0), SourceUnavailable, "the object is empty"),
    ],
)
def test_compressed_objects_that_are_refused(
    value: str, body: bytes, error: type[ApiError], words: str, bucket: S3Client
) -> None:
    bucket.put_object(Bucket="pictures", Key="hidden", Body=body, ContentEncoding=value)
    fails("s3://pictures/hidden", error, words)


def test_an_empty_object(bucket: S3Client) -> None:
    bucket.put_object(Bucket="pictures", Key="hidden/", Body=b"")
    fails("s3://pictures/hidden/", SourceUnavailable, "the object is empty")


def test_a_version_is_part_of_the_key_and_told_where_there_is_none(bucket: S3Client) -> None:
    bucket.put_object(Bucket="pictures", Key="a?versionId=1", Body=FILE)
    assert read("s3://pictures/a?versionId=1") == FILE
    fails("s3://pictures/b?versionId=1", SourceUnavailable, "no such object.*leave out .versionId=")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ({"StorageClass": "GLACIER", "Restore": 'ongoing-request="true"'}, "being restored; try again"),
        ({"StorageClass": "INTELLIGENT_TIERING", "ArchiveStatus": "ARCHIVE_ACCESS"}, "archived; restore it"),
    ],
)
def test_other_ways_to_be_archived(head: dict[str, str], words: str, bucket: S3Client) -> None:
    stub = Stubber(s3._make_client())
    stub.add_response("head_object", {"ContentLength": 9, "ETag": '"x"', **head}, {"Bucket": ANY, "Key": ANY})
    stub.activate()
    fails("s3://pictures/hidden", SourceUnavailable, words)


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_objects(storage_class: StorageClassType, bucket: S3Client) -> None:
    bucket.put_object(Bucket="pictures", Key="hidden", Body=FILE, StorageClass=storage_class)
    fails("s3://pictures/hidden", SourceUnavailable, "archived; restore it first")


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    fails("s3://pictures/hidden", SourceUnavailable, "does not answer as it should")


def test_an_outage_ends_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{silent.getsockname()[1]}")
        s3._client()  # imports boto3, which is none of the read's time
        start = time.monotonic()
        fails("s3://pictures/hidden", SourceUnavailable, "not there after 0.8 seconds",
              SourcePolicy(buckets=POLICY.buckets, timeout_seconds=0.8))  # fmt: skip
        assert time.monotonic() - start < 30


def test_nothing_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{port}")
    fails("s3://pictures/hidden", SourceUnavailable, "does not answer as it should|not there after")
