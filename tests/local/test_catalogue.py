"""A catalogue on this machine, as its user has it: a folder indexed, searched, and following its bucket."""

import base64
import io
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from PIL import Image, ImageDraw

from tests.decoders.process_tree import descendants, running
from tests.support.local_stack import LocalRun

PARAMETERS = "Catalogue=yes ImageBuckets=photos,albums"
PICTURES = 12
ODD = "sub/ü b+%41.png"
SECONDS = 60.0


def picture(number: int, side: int = 96) -> bytes:
    """A PNG that is like no other number's."""
    image = Image.new("RGB", (side, side), ((number * 37) % 256, (number * 91) % 256, (number * 53) % 256))
    draw = ImageDraw.Draw(image)
    for step in range(number % 5 + 1):
        place = (7 * step + 3 * number) % (side // 2)
        draw.ellipse(
            (place, place // 2, place + side // 3, place + side // 4), fill=(255 - 20 * step, 40, number * 9)
        )
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


class Catalogue:
    """A run with a folder's pictures, its calls and its bucket."""

    def __init__(self, run: LocalRun) -> None:
        self.run = run
        self.url = f"{run.origin}/prod/catalogue"
        found = re.search(r"^S3\s+(http://127\.0\.0\.1:\d+)$", run.output, re.MULTILINE)
        assert found, run.output
        self.cloud_url = found[1]
        make: Any = boto3.client
        keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any"}
        self.s3 = make("s3", endpoint_url=self.cloud_url, region_name="us-east-1", **keys)

    def status(self) -> Any:
        return httpx.get(self.url, trust_env=False, timeout=SECONDS).json()

    def search(self, **body: Any) -> httpx.Response:
        return httpx.post(f"{self.url}/search", json=body, trust_env=False, timeout=SECONDS)

    def best(self, content: bytes) -> Any:
        answer = self.search(img=base64.b64encode(content).decode(), limit=1)
        assert answer.status_code == 200, answer.text
        return answer.json()["matches"][0]


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "sub").mkdir()
    for number in range(PICTURES - 1):
        (folder / f"{number}.png").write_bytes(picture(number))
    (folder / ODD).write_bytes(picture(PICTURES - 1))
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    # What the user's own AWS is set to: none of it may be reached, or read.
    environment = {"AWS_PROFILE": "of-the-user", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"}
    arguments = ("--port", "0", "--parameters", PARAMETERS, "--pictures", str(folder))
    run = LocalRun(*arguments, environment=environment)
    try:
        yield Catalogue(run)
    finally:
        run.stop()


def test_the_folder_is_indexed_when_it_says_that_it_is_ready(catalogue: Catalogue) -> None:
    status = catalogue.status()
    assert status["buckets"] == ["photos", "albums"]
    assert (status["pending"], status["failed"], status["complete"]) == (0, 1, True)
    assert status["lastSync"]["state"] == "done"
    assert [one["key"] for one in status["failures"]] == ["s3://photos/broken.jpg"]
    assert f"{PICTURES} of {PICTURES + 1} pictures are indexed" in catalogue.run.output
    assert "s3://photos/broken.jpg: its format is not recognised" in catalogue.run.output
    listed = catalogue.s3.list_objects_v2(Bucket="photos")["Contents"]
    assert {one["Key"] for one in listed} >= {"0.png", ODD, "broken.jpg"}
    assert "notes.txt" not in {one["Key"] for one in listed}


def test_a_picture_finds_itself_by_file_by_key_and_by_name(catalogue: Catalogue) -> None:
    key = f"s3://photos/{ODD}"
    assert catalogue.best(picture(PICTURES - 1)) | {"etag": ""} == {
        "key": key,
        "similarity": 1.0,
        "size": len(picture(PICTURES - 1)),
        "modified": catalogue.search(key=key).json()["matches"][0]["modified"],
        "etag": "",
    }
    for body in ({"key": key}, {"url": key}):
        answer = catalogue.search(**body, limit=2).json()
        assert answer["complete"] is True
        assert answer["matches"][0]["key"] == key
        assert answer["matches"][0]["similarity"] == 1.0
    below = catalogue.search(key=key, prefix="s3://photos/sub/").json()["matches"]
    assert [match["key"] for match in below] == [key]


def test_links_lead_to_the_pictures(catalogue: Catalogue) -> None:
    (match,) = catalogue.search(key=f"s3://photos/{ODD}", limit=1, links=True).json()["matches"]
    answer = httpx.get(match["link"], trust_env=False, timeout=SECONDS)
    assert (answer.status_code, answer.content) == (200, picture(PICTURES - 1))
    assert answer.headers["content-type"] == "image/png"


def test_callers_reach_nothing_on_this_machine(catalogue: Catalogue) -> None:
    port = catalogue.cloud_url.rsplit(":", 1)[1]
    for url in (f"http://127.0.0.1:{port}/photos/0.png", "http://127.0.0.1/0.png", "http://localhost/0.png"):
        answer = catalogue.search(url=url)
        assert (answer.status_code, answer.json()["code"]) == (400, "SourceNotAllowed")


def test_the_bucket_is_followed(catalogue: Catalogue) -> None:
    key, where = "s3://albums/new/a b.png", {"Bucket": "albums", "Key": "new/a b.png"}
    catalogue.s3.put_object(**where, Body=picture(40))
    until(lambda: catalogue.search(key=key).status_code == 200, "a new picture is not found")
    assert catalogue.best(picture(40))["key"] == key
    catalogue.s3.put_object(**where, Body=picture(41))
    until(lambda: catalogue.best(picture(41))["key"] == key, "a replaced picture is found as it was")
    catalogue.s3.delete_object(**where)
    until(lambda: catalogue.search(key=key).status_code == 404, "a deleted picture is still found")
    catalogue.s3.put_object(Bucket="photos", Key="broken.jpg", Body=picture(42))
    until(lambda: catalogue.status()["failed"] == 0, "a mended picture still counts as failed")
    assert catalogue.best(picture(42))["key"] == "s3://photos/broken.jpg"


def test_a_sync_is_open_here_and_finds_what_no_event_told(catalogue: Catalogue) -> None:
    silent: dict[str, Any] = {"Bucket": "albums", "NotificationConfiguration": {}}
    catalogue.s3.put_bucket_notification_configuration(**silent)
    catalogue.s3.put_object(Bucket="albums", Key="untold.png", Body=picture(50))
    answer = httpx.post(f"{catalogue.url}/sync", trust_env=False, timeout=SECONDS)
    assert answer.status_code == 202
    assert answer.json()["state"] == "running"
    until(lambda: catalogue.status()["lastSync"]["state"] == "done", "the sync does not end")
    assert catalogue.best(picture(50))["key"] == "s3://albums/untold.png"


def test_the_api_reads_the_local_buckets(catalogue: Catalogue) -> None:
    body = {"url_1": "s3://photos/0.png", "img_2": base64.b64encode(picture(0)).decode()}
    answer = httpx.post(
        f"{catalogue.run.origin}/prod/image-similarity", json=body, trust_env=False, timeout=SECONDS
    )
    assert answer.json() == {"similarity": 1.0}


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)])
def test_stopping_while_it_indexes_leaves_no_process(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    for one in range(60):
        (tmp_path / f"{one}.png").write_bytes(picture(one))
    run = LocalRun("--port", "0", "--parameters", PARAMETERS, "--pictures", str(tmp_path))
    while "Uploading and indexing" not in run.output:
        assert run.process.poll() is None, run.output
        time.sleep(0.01)
    children = descendants(run.process.pid)
    assert run.stop(number) == status
    until(lambda: not any(map(running, children)), "processes are left")
    assert "Traceback" not in run.output
    assert "Ready" not in run.output


def test_a_sync_is_signed_where_all_calls_are() -> None:
    run = LocalRun(
        "--port", "0", "--parameters", f"{PARAMETERS} APIGatewayAuthorization=AWS_IAM APIExplorer=no"
    )
    try:
        for method, path in (("POST", "/sync"), ("POST", "/search"), ("GET", "")):
            url = f"{run.origin}/prod/catalogue{path}"
            answer = httpx.request(method, url, trust_env=False, timeout=SECONDS)
            assert answer.status_code == 403
    finally:
        run.stop()


@pytest.mark.parametrize(
    ("parameters", "folder", "message"),
    [
        ("", ".", "PICTURES needs a catalogue"),
        ("Catalogue=paused ImageBuckets=photos", ".", "PICTURES needs a catalogue"),
        (PARAMETERS, "none", "is no folder"),
        (PARAMETERS, ".", "has no file that may be a picture"),
    ],
)
def test_pictures_that_can_t_be_indexed_are_a_sentence(
    parameters: str, folder: str, message: str, tmp_path: Path
) -> None:
    run = LocalRun("--port", "0", "--parameters", parameters, "--pictures", os.fspath(tmp_path / folder))
    assert run.wait() == 1
    assert message in run.output
    assert "Traceback" not in run.output


def test_without_a_catalogue_no_cloud_is_started() -> None:
    run = LocalRun("--port", "0", "--parameters", "ImageSimilarity=no APIExplorer=no ImageBuckets=photos")
    try:
        assert run.origin
        assert descendants(run.process.pid) == []
        assert "S3" not in run.output
    finally:
        run.stop()
