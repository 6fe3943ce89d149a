"""Fetches that nobody waits for any more: they end at once where they can, and their number is bounded."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from image_similarity.inference import sources
from image_similarity.inference.errors import InvalidImage, SourceNotAllowed, SourceUnavailable, Unavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, fetch, s3
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from tests.support.servers import ok, serving
from tests.unit.inference.sources.test_http import BAD_ANSWERS, FILE

PATIENT = SourcePolicy(frozenset({"photos"}), allow_private=True, timeout_seconds=60)
SOON = 5.0


def silent(connection: socket.socket, head: bytes) -> None:
    connection.recv(1)  # until the other side goes


def fetching() -> int:
    return sum(thread.name.startswith("fetch-") for thread in threading.enumerate())


def ends_soon() -> None:
    end = time.monotonic() + SOON
    while fetching():
        assert time.monotonic() < end, "a fetch runs on"
        time.sleep(0.01)


@pytest.fixture
def resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    answered = threading.Event()

    def resolve(*_: object, **__: object) -> list[object]:
        answered.wait(30)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield
    answered.set()
    ends_soon()


def test_a_server_that_says_nothing_is_left_with_the_answer() -> None:
    with serving(silent) as slow, serving(BAD_ANSWERS["not found"][0]) as missing:
        with pytest.raises(SourceUnavailable, match="url_1: the server answers 404"):
            sources.read_all([Source.by_url("url_1", missing.url), Source.by_url("url_2", slow.url)], PATIENT)
        ends_soon()


@pytest.mark.slow
def test_a_connection_that_does_not_come_about_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, socket.socket() as waiting:
        others = [socket.socket() for _ in range(4)]
        for other in others:
            other.setblocking(False)
            other.connect_ex(full.getsockname())
        deadline = Deadline(60)
        threading.Timer(0.2, deadline.cancel).start()
        waiting.settimeout(60)
        start = time.monotonic()
        with deadline.breaking(waiting), pytest.raises(OSError):
            waiting.connect(full.getsockname())
        assert time.monotonic() - start < SOON
        for other in others:
            other.close()


def test_nothing_begins_after_the_end() -> None:
    deadline = Deadline(60)
    deadline.cancel()
    with socket.socket() as opened, pytest.raises(DeadlineExceededError), deadline.breaking(opened):
        pytest.fail("the block ran")


@pytest.mark.parametrize(
    ("doomed", "error"),
    [
        (Source.by_img("img_1", "!"), InvalidImage),
        (Source.by_url("url_1", "ftp://example.com/"), SourceNotAllowed),
        (Source.by_url("url_1", "s3://other/key"), SourceNotAllowed),
    ],
)
def test_a_doomed_pair_sends_nothing(doomed: Source, error: type[Exception]) -> None:
    with serving(ok(FILE)) as server:
        good = Source.by_url("url_2", server.url)
        for pair in ([doomed, good], [good, doomed]):
            with pytest.raises(error, match=doomed.field):
                sources.read_all(pair, PATIENT)
        assert server.connections == 0
    assert fetching() == 0


@pytest.mark.usefixtures("resolver_that_hangs")
def test_there_are_never_more_than_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_fetches", threading.BoundedSemaphore(3))
    short = SourcePolicy(allow_private=True, timeout_seconds=0.05)
    for _ in range(3):
        with pytest.raises(SourceUnavailable, match="not there after"):
            sources.read_all([Source.by_url("url", "http://example.com/")], short)
    for _ in range(2):
        with pytest.raises(Unavailable, match="Try again"):
            sources.read_all([Source.by_url("url", "http://example.com/")], short)
    assert fetching() == 3


@pytest.mark.usefixtures("resolver_that_hangs")
def test_a_fetch_that_hangs_does_not_delay_the_end_of_the_process() -> None:
    short = SourcePolicy(allow_private=True, timeout_seconds=0.05)
    with pytest.raises(SourceUnavailable, match="not there after"):
        sources.read_all([Source.by_url("url", "http://example.com/")], short)
    assert [thread.daemon for thread in threading.enumerate() if thread.name.startswith("fetch-")] == [True]


@pytest.mark.slow
def test_their_places_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_fetches", threading.BoundedSemaphore(1))
    with serving(ok(FILE)) as server:
        for _ in range(5):
            assert sources.read_all([Source.by_url("url", server.url)], PATIENT) == [FILE]


def test_a_system_without_threads_is_busy_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_fetches", threading.BoundedSemaphore(1))

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with serving(ok(FILE)) as server:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", no_thread)
            with pytest.raises(Unavailable, match="Try again"):
                sources.read_all([Source.by_url("url", server.url)], PATIENT)
        assert sources.read_all([Source.by_url("url", server.url)], PATIENT) == [FILE]


@pytest.mark.slow
def test_s3_is_not_asked_again_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(connection: socket.socket, head: bytes) -> None:
        time.sleep(0.5)
        connection.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with serving(busy) as server:
        for name, value in {
            "ACCESS_KEY_ID": "a",
            "SECRET_ACCESS_KEY": "b",
            "DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        s3._make_client.cache_clear()
        s3._client()
        with pytest.raises(SourceUnavailable, match="not there after"):
            sources.read_all(
                [Source.by_url("url", "s3://photos/a.jpg")],
                SourcePolicy(frozenset({"photos"}), allow_private=True, timeout_seconds=0.2),
            )
        ends_soon()
        assert server.connections == 1
    s3._make_client.cache_clear()
