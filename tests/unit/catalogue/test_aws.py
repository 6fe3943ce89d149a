"""Objects of S3 and messages of SQS, against the local cloud."""

from typing import Any

import boto3
import pytest

from image_similarity.catalogue import s3_objects
from image_similarity.catalogue.messages import Changed, Listing, Received, decode
from image_similarity.catalogue.objects import UnusableObject
from image_similarity.catalogue.s3_objects import S3Objects
from image_similarity.catalogue.sqs import SqsQueue
from local.backends.cloud.server import CloudServer
from tests.unit.catalogue.conftest import REGION

pytestmark = pytest.mark.slow

KEYS = ("a b+%20 ü.jpg", "z/1.jpg", "z/", "a/2.jpg", "\U0001f600.jpg", "\uffee.jpg")


@pytest.fixture
def s3(cloud: CloudServer) -> Any:
    client = boto3.client("s3", endpoint_url=cloud.url, region_name=REGION)
    client.create_bucket(Bucket="photos")
    yield client
    for one in client.list_objects_v2(Bucket="photos").get("Contents", []):
        client.delete_object(Bucket="photos", Key=one["Key"])
    client.delete_bucket(Bucket="photos")


@pytest.fixture
def store(s3: Any) -> S3Objects:
    for key in KEYS:
        s3.put_object(Bucket="photos", Key=key, Body=key.encode())
    return S3Objects(s3, ["photos", "never-made"])


def test_an_object_is_read(store: S3Objects, s3: Any) -> None:
    key = "s3://photos/a b+%20 ü.jpg"
    reading, state = store.read(key), store.look(key)
    assert reading is not None
    assert (reading.state, reading.data) == (state, "a b+%20 ü.jpg".encode())
    assert state is not None
    assert state.modified.endswith("Z")
    again = store.read(key, state.etag)
    assert again is not None
    assert (again.state, again.data) == (state, None)
    s3.put_object(Bucket="photos", Key="a b+%20 ü.jpg", Body=b"other")
    changed = store.read(key, state.etag)
    assert changed is not None
    assert changed.data == b"other"


@pytest.mark.parametrize("key", ["s3://photos/none", "s3://never-made/a", "s3://other/a", "s3://photos-2/a"])
def test_what_is_not_there(store: S3Objects, key: str) -> None:
    assert store.read(key) is None
    assert store.read(key, '"1"') is None
    assert store.look(key) is None


def test_a_large_object_is_not_read(store: S3Objects, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_objects, "MAX_BYTES", 3)
    with pytest.raises(UnusableObject, match="more than"):
        store.read("s3://photos/a/2.jpg")


def test_an_archived_object(store: S3Objects, s3: Any) -> None:
    s3.put_object(Bucket="photos", Key="cold.jpg", Body=b"cold", StorageClass="GLACIER")
    with pytest.raises(UnusableObject, match="restore") as error:
        store.read("s3://photos/cold.jpg")
    assert error.value.state == store.look("s3://photos/cold.jpg")


def test_objects_are_listed_by_the_bytes_of_their_keys(store: S3Objects) -> None:
    expected = sorted((f"s3://photos/{key}" for key in KEYS), key=str.encode)
    page = store.page("s3://photos/")
    assert [state.key for state in page] == expected
    assert page == [store.look(key) for key in expected]
    assert [state.key for state in store.page("s3://photos/", after=expected[2])] == expected[3:]
    assert [state.key for state in store.page("s3://photos/", "s3://photos/z/")] == [
        "s3://photos/z/",
        "s3://photos/z/1.jpg",
    ]
    assert store.page("s3://photos/", after=expected[-1]) == []


@pytest.fixture
def queue(cloud: CloudServer) -> tuple[SqsQueue, Any, str]:
    client = boto3.client("sqs", endpoint_url=cloud.url, region_name=REGION)
    url = client.create_queue(QueueName="pictures")["QueueUrl"]
    client.purge_queue(QueueUrl=url)
    return SqsQueue(client, url), client, url


def received(client: Any, url: str) -> list[Received]:
    found = []
    while batch := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for one in batch:
            message = decode(one["Body"])
            assert message is not None
            found.append(Received(one["ReceiptHandle"], message))
    return found


def test_messages_are_sent_and_deleted(queue: tuple[SqsQueue, Any, str]) -> None:
    ours, client, url = queue
    sent: list[Changed | Listing] = [
        *(Changed(f's3://photos/{number} ü\\"\n.jpg') for number in range(23)),
        Listing("run", 3, "vectors", "t", 1),
    ]
    ours.send(sent)
    ours.send([Changed("s3://photos/late.jpg")], delay=900)
    ours.send([])
    assert ours.depth() == 25
    got = received(client, url)
    assert sorted(map(repr, (one.message for one in got))) == sorted(map(repr, sent))
    assert ours.depth() == 25
    ours.postpone(got[0], 0)
    assert [one.message for one in received(client, url)] == [got[0].message]
    ours.delete(got[1:])
    assert ours.depth() == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "[" * 100_000,
        "1",
        "null",
        "[]",
        '{"other": 1}',
        '{"list": {"run": "r", "phase": "x"}}',
        '{"list": 1}',
    ],
)
def test_a_strange_message(text: str) -> None:
    assert decode(text) is None
