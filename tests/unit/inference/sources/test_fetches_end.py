"""Fetches that nobody waits for any more: they end at once where they can, and their number is bounded."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from image_similarity.inference import sources
from image_similarity.inference.errors import InvalidImage, SourceNotAllowed, SourceUnavailable, Unavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, fetch, s3
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from tests.support.servers import ok, serving
from tests.unit.inference.sources.test_http import BAD_ANSWERS, FILE

PATIENT = SourcePolicy(frozenset({"photos"}), allow_private=True, timeout_seconds=60)
SOON = 30.0  # of the 60 that a fetch may take, on a busy machine


def silent(connection: socket.socket, head: bytes) -> None:
    connection.recv(1)  # until the other side goes


def fetching() -> int:
    return sum(thread.name.startswith("fetch-") for thread in threading.enumerate())


def ends_soon(but: int = 0) -> None:
    end = time.monotonic() + SOON
    while fetching() > but:
        assert time.monotonic() < end, "a fetch runs on"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def nothing_of_others() -> None:
    """Fetches of earlier tests, of other files too, have ended."""
    ends_soon()


@pytest.fixture
def resolver_that_hangs(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Semaphore]:
    """Hangs until the test is over; released for each name that it is asked for."""
    answered, asked = threading.Event(), threading.Semaphore(0)

    def resolve(*_: object, **__: object) -> list[object]:
        asked.release()
        answered.wait(120)
        raise OSError("no such name")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield asked
    answered.set()
    ends_soon()


@contextmanager
def pair_with_a_name(asked: threading.Semaphore) -> Iterator[list[Source]]:
    """The first file is missing, which its server says once the second one's name is looked up."""

    def missing(connection: socket.socket, head: bytes) -> None:
        asked.acquire(timeout=60)
        connection.sendall(BAD_ANSWERS["not found"][0])

    with serving(missing) as server:
        yield [Source.by_url("url_1", server.url), Source.by_url("url_2", "http://example.com/")]


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


def test_there_are_never_more_than_so_many(
    resolver_that_hangs: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_fetches", threading.BoundedSemaphore(4))
    with pair_with_a_name(resolver_that_hangs) as pair:
        for _ in range(3):
            with pytest.raises(SourceUnavailable, match="url_1: the server answers 404"):
                sources.read_all(pair, PATIENT)
        for _ in range(2):  # one place is left, and a pair needs two
            with pytest.raises(Unavailable, match="Try again"):
                sources.read_all(pair, PATIENT)
        ends_soon(but=3)
        assert fetching() == 3


def test_a_fetch_that_hangs_does_not_delay_the_end_of_the_process(
    resolver_that_hangs: threading.Semaphore,
) -> None:
    with (
        pair_with_a_name(resolver_that_hangs) as pair,
        pytest.raises(SourceUnavailable, match="url_1: the server answers 404"),
    ):
        sources.read_all(pair, PATIENT)
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
    asked, over = threading.Semaphore(0), threading.Event()

    def busy(connection: socket.socket, head: bytes) -> None:
        asked.release()
        over.wait(60)
        connection.sendall(b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    def missing(connection: socket.socket, head: bytes) -> None:
        asked.acquire(timeout=60)
        connection.sendall(BAD_ANSWERS["not found"][0])

    with serving(busy) as server, serving(missing) as absent:
        for name, value in {
            "ACCESS_KEY_ID": "a",
            "SECRET_ACCESS_KEY": "b",
            "DEFAULT_REGION": "us-east-1",
        }.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        s3._make_client.cache_clear()
        s3._client()
        pair = [Source.by_url("url_1", absent.url), Source.by_url("url_2", "s3://photos/a.jpg")]
        with pytest.raises(SourceUnavailable, match="url_1: the server answers 404"):
            sources.read_all(pair, PATIENT)
        over.set()
        ends_soon()
        assert server.connections == 1
    s3._make_client.cache_clear()
