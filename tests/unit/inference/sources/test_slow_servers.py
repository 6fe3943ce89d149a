"""Servers that never end: one deadline and one limit hold whatever they send, for both of a pair."""

import threading
import time
from collections.abc import Callable
from socket import socket

import pytest

from image_similarity.inference import sources
from image_similarity.inference.errors import PayloadTooLarge, SourceUnavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy
from tests.support.servers import ok, serving
from tests.unit.inference.sources.test_http import BAD_ANSWERS, CHUNKED, FILE, HEAD, POLICY, fails

SHORT = SourcePolicy(allow_private=True, max_bytes=100_000, timeout_seconds=1.0)


def forever(*parts: bytes, pause: float = 0.0) -> Callable[[socket, bytes], None]:
    """Send the first part, then the second again and again."""

    def answer(connection: socket, head: bytes) -> None:
        connection.sendall(parts[0])
        while True:
            connection.sendall(parts[1])
            time.sleep(pause)

    return answer


SLOW = {
    "says nothing": lambda connection, head: connection.recv(1),  # until the other side goes
    "a header letter at a time": forever(HEAD + b"A: ", b"b", pause=0.05),
    "headers at a time": forever(HEAD, b"A: b\r\n", pause=0.05),
    "continue for ever": forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n", pause=0.05),
    "a byte at a time": forever(HEAD + b"Content-Length: 99999\r\n\r\n", b"x", pause=0.05),
    "a chunk at a time": forever(CHUNKED, b"1\r\nx\r\n", pause=0.05),
    "a chunk's size at a time": forever(CHUNKED, b"0", pause=0.05),
    "chunk extensions": forever(CHUNKED + b"1;", b"x", pause=0.05),
    "trailers": forever(CHUNKED + b"0\r\n", b"A: b\r\n", pause=0.05),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_slow_servers_are_left_at_the_deadline(name: str) -> None:
    with serving(SLOW[name]) as server:
        fails(server.url, SourceUnavailable, "not there after 1 seconds", SHORT)


ENDLESS = {
    "body": (forever(HEAD + b"\r\n", b"x" * 60_000), PayloadTooLarge, "more than"),
    "chunks": (forever(CHUNKED, b"1\r\nx\r\n" * 9999), PayloadTooLarge, "more"),
    "headers": (forever(HEAD, b"A: b\r\n" * 99), SourceUnavailable, "endless headers"),
    "continue": (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), SourceUnavailable, "endless headers"),
    "chunk lines": (
        forever(CHUNKED, b"1;" + b"x" * 60_000 + b"\r\nx\r\n"), PayloadTooLarge, "more"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_endless_answers_are_left_at_the_limit(name: str) -> None:
    answer, error, words = ENDLESS[name]
    with serving(answer) as server:
        fails(server.url, error, words)


def test_a_pair_is_fetched_at_the_same_time_within_one_deadline() -> None:
    both = threading.Barrier(2, timeout=20)

    def answer(connection: socket, head: bytes) -> None:
        both.wait()
        connection.sendall(ok(FILE))

    with serving(answer) as server:
        pair = [Source.by_url("url_1", server.url), Source.by_url("url_2", server.url)]
        assert sources.read_all(pair, POLICY) == [FILE, FILE]


@pytest.mark.slow
def test_the_first_slots_error_wins_and_the_other_fetch_stops() -> None:
    with serving(SLOW["a byte at a time"]) as slow, serving(BAD_ANSWERS["not found"][0]) as missing:
        with pytest.raises(SourceUnavailable, match="url_1: the server answers 404"):
            sources.read_all([Source.by_url("url_1", missing.url), Source.by_url("url_2", slow.url)], POLICY)
        with pytest.raises(SourceUnavailable, match="url_1: the file was not there"):
            sources.read_all([Source.by_url("url_1", slow.url), Source.by_url("url_2", missing.url)], SHORT)
        deadline = time.monotonic() + 30
        while any(thread.name.startswith("fetch-") for thread in threading.enumerate()):
            assert time.monotonic() < deadline, "a fetch runs on"
            time.sleep(0.02)
