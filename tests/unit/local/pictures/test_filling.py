"""A folder's pictures on their way into the local cloud."""

import json
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest

from local.backends.cloud.server import CloudServer
from local.pictures.filling import Filling
from local.pictures.selection import Selection

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::filled/refused.jpg",
        }
    ],
}


@pytest.mark.slow
def test_an_object_that_is_refused_is_told_by_its_name_and_stops_no_other(tmp_path: Path) -> None:
    selection = Selection({name: tmp_path / name for name in ("refused.jpg", "a.jpg")})
    for path in selection.files.values():
        path.write_bytes(b"x")
    lines: list[str] = []
    ended = threading.Event()
    with CloudServer() as cloud:
        s3, sqs = (_client(cloud.url, name) for name in ("s3", "sqs"))
        s3.create_bucket(Bucket="filled")
        s3.put_bucket_policy(Bucket="filled", Policy=json.dumps(POLICY))
        queue_url = sqs.create_queue(QueueName="filled")["QueueUrl"]
        filling = Filling(
            selection, "filled", s3=s3, sqs=sqs, queue_url=queue_url, call=_done, say=lines.append
        )
        filling.start(ended.set)
        assert ended.wait(100)
        assert [one["Key"] for one in s3.list_objects_v2(Bucket="filled")["Contents"]] == ["a.jpg"]
    assert any("refused.jpg: " in line and "Forbidden" in line for line in lines), lines
    assert any("1 of 2 pictures are indexed" in line for line in lines), lines


def _client(url: str, service: str) -> Any:
    make: Any = boto3.client
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
    return make(service, endpoint_url=url, region_name="us-east-1", **keys)


def _done(_method: str, _path: str) -> dict[str, Any]:
    """The catalogue's answer when all is indexed."""
    return {"complete": True, "failed": 0, "lastSync": {"state": "done"}, "failures": []}
