"""Events and queues of the local cloud where moto alone does otherwise than AWS."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import boto3
import httpx
import pytest

from local.backends.cloud.server import CloudServer

pytestmark = pytest.mark.slow

MIB = 1024**2
names = count()


class Cloud:
    """Clients of a server, and a bucket whose events go to a queue."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.s3, self.sqs, self.events = (self.client(name) for name in ("s3", "sqs", "events"))
        self.bucket, self.queue_url = f"bucket-{next(names)}", ""

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        make: Any = boto3.client
        return make(service, endpoint_url=self.url, region_name="us-east-1", **keys)

    def follow(self) -> None:
        name = f"events-of-{self.bucket}"
        self.queue_url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": [self.bucket]}}}
        self.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:us-east-1:123456789012:{name}"
        self.events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": arn}])

    def told(self) -> list[dict[str, Any]]:
        """The events since the last call."""
        found: list[dict[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get(
            "Messages"
        ):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[CloudServer]:
    with CloudServer() as server:
        yield server


@pytest.fixture
def cloud(server: CloudServer) -> Cloud:
    made = Cloud(server.url)
    made.follow()
    return made


def test_an_event_has_the_shape_that_aws_documents(cloud: Cloud) -> None:
    etag = cloud.s3.put_object(Bucket=cloud.bucket, Key="a b/ü+%.jpg", Body=b"one")["ETag"]
    cloud.s3.put_object(Bucket=cloud.bucket, Key="a b/ü+%.jpg", Body=b"other")
    first, second = cloud.told()
    assert (first["detail-type"], first["source"], first["account"]) == (
        "Object Created",
        "aws.s3",
        "123456789012",
    )
    thing = first["detail"]["object"]
    assert thing["key"] == "a b/ü+%.jpg"
    assert (thing["size"], thing["etag"]) == (3, etag.strip('"'))
    assert "version-id" not in thing
    assert first["detail"]["reason"] == "PutObject"
    assert first["id"] != second["id"]
    assert thing["sequencer"] < second["detail"]["object"]["sequencer"]


@pytest.mark.parametrize("key", ["a\nb.jpg", "a\r\n/b.jpg", "\n", "../a.jpg", "a//b.jpg", "?a=b&c#d %41.jpg"])
def test_an_object_has_any_name_that_s3_takes(cloud: Cloud, key: str) -> None:
    cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=b"one")
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read() == b"one"
    assert [one["Key"] for one in cloud.s3.list_objects_v2(Bucket=cloud.bucket)["Contents"]] == [key]
    assert [event["detail"]["object"]["key"] for event in cloud.told()] == [key]


def test_a_deletion_is_told_once_and_has_no_size(cloud: Cloud) -> None:
    cloud.s3.put_object(Bucket=cloud.bucket, Key="a", Body=b"1")
    cloud.told()
    cloud.s3.delete_object(Bucket=cloud.bucket, Key="a")
    cloud.s3.delete_object(Bucket=cloud.bucket, Key="never")
    (event,) = cloud.told()
    assert event["detail-type"] == "Object Deleted"
    assert event["detail"]["deletion-type"] == "Permanently Deleted"
    assert "size" not in event["detail"]["object"]


def test_many_deletions_of_one_call_are_all_told(cloud: Cloud) -> None:
    for key in "abc":
        cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=b"1")
    cloud.told()
    cloud.s3.delete_objects(Bucket=cloud.bucket, Delete={"Objects": [{"Key": key} for key in "abc"]})
    assert [event["detail"]["object"]["key"] for event in cloud.told()] == ["a", "b", "c"]


def test_delete_markers_and_old_versions_are_told(cloud: Cloud) -> None:
    status = {"Status": "Enabled"}
    cloud.s3.put_bucket_versioning(Bucket=cloud.bucket, VersioningConfiguration=status)
    version = cloud.s3.put_object(Bucket=cloud.bucket, Key="a", Body=b"1")["VersionId"]
    cloud.s3.put_object(Bucket=cloud.bucket, Key="a", Body=b"2")
    assert cloud.told()[0]["detail"]["object"]["version-id"] == version
    cloud.s3.delete_object(Bucket=cloud.bucket, Key="a")
    cloud.s3.delete_object(Bucket=cloud.bucket, Key="a", VersionId=version)
    marker, old = cloud.told()
    assert marker["detail"]["deletion-type"] == "Delete Marker Created"
    assert old["detail"]["deletion-type"] == "Permanently Deleted"
    assert old["detail"]["object"]["version-id"] == version


def test_a_multipart_upload_is_told_once(cloud: Cloud) -> None:
    where = {"Bucket": cloud.bucket, "Key": "large"}
    upload = cloud.s3.create_multipart_upload(**where)["UploadId"]
    part = cloud.s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=bytes(5 * MIB))
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    cloud.s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=parts)
    (event,) = cloud.told()
    assert event["detail"]["reason"] == "CompleteMultipartUpload"
    assert event["detail"]["object"]["size"] == 5 * MIB


def test_no_message_is_lost_or_given_twice_among_threads(cloud: Cloud) -> None:
    url = cloud.sqs.create_queue(QueueName="busy")["QueueUrl"]
    number, taken = 300, list[str]()

    def send(start: int) -> None:
        for one in range(start, number, 3):
            cloud.sqs.send_message(QueueUrl=url, MessageBody=str(one))

    def take(_: int) -> None:
        while len(taken) < number:
            answer = cloud.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            if "Messages" not in answer:
                return
            for message in answer["Messages"]:
                taken.append(message["Body"])
                cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda one: send(one) if one < 3 else take(one), range(6)))
    take(0)
    assert sorted(taken, key=int) == [str(one) for one in range(number)]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8080"}, 200),
        ({"Host": "localhost:8081"}, 200),
        ({"Origin": "https://example.com"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "example.com"}, 403),
        ({"Host": "127.0.0.1.example.com:8081"}, 403),
    ],
)
def test_no_page_of_the_web_reads_the_pictures(cloud: Cloud, headers: dict[str, str], status: int) -> None:
    cloud.s3.put_object(Bucket=cloud.bucket, Key="a", Body=b"private")
    where = {"Bucket": cloud.bucket, "Key": "a"}
    query = cloud.s3.generate_presigned_url("get_object", Params=where).partition("?")[2]
    answer = httpx.get(f"{cloud.url}/{cloud.bucket}/a?{query}", headers=headers, trust_env=False, timeout=60)
    assert answer.status_code == status
    assert (answer.content == b"private") == (status == 200)
