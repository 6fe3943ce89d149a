"""Answers that cost more than their bytes: reads, records and processor time are counted too."""

import gzip
import ssl
import threading
import time
from socket import socket

import pytest

from image_similarity.inference.errors import ApiError, PayloadTooLarge, SourceUnavailable
from image_similarity.inference.sources import SourcePolicy, body, budget, http
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.url import parse
from tests.support.servers import Handler, ok, serving
from tests.unit.inference.sources.test_http import CHUNKED, HEAD
from tests.unit.inference.sources.test_slow_servers import forever
from tests.unit.inference.sources.test_tls import contexts, trusted

__all__ = ["contexts", "trusted"]  # fixtures

POLICY = SourcePolicy(allow_private=True)
GZIPPED = HEAD + b"Content-Encoding: gzip\r\n\r\n"
# An empty block of deflate with tables of its own, eight times: 90 bits each (RFC 1951 section 3.2.7).
BLOCK = "0" + "01" + "00000" + "00000" + "0111" + "000" * 2 + "100" + "000" * 14 + "100"
BLOCK += "1" + "1111111" + "1" + "1101011" + "0" + "0" + "0"
EMPTY_BLOCKS = int((BLOCK * 8)[::-1], 2).to_bytes(len(BLOCK), "little")
LEEWAY = 2.0  # of processor time: the last piece, on a busy machine. What is not bounded takes ten seconds.


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers here are as slow as the machine, which is not what they are about."""
    monkeypatch.setattr(budget, "GRACE_SECONDS", 100.0)


def processor_seconds(url: str, error: type[ApiError], words: str) -> float:
    start = time.thread_time()
    with pytest.raises(error, match=words):
        http.read(parse(url, POLICY), POLICY, Deadline(200))
    return time.thread_time() - start


def in_pieces(first: bytes, piece: bytes) -> Handler:
    """The piece again and again, each time as a packet or a record of its own."""

    def answer(connection: socket, head: bytes) -> None:
        connection.sendall(first)
        while True:
            connection.send(piece)

    return answer


PIECES = "too many small pieces"
COSTLY = {
    "chunks of one byte": (forever(CHUNKED, b"1\r\nx\r\n" * 9999), PIECES),
    "chunks of one byte, each with an extension": (forever(CHUNKED, b"1;a=b\r\nx\r\n" * 9999), PIECES),
    "empty headers": (forever(HEAD, b"A:\n" * 9999), "endless headers"),
    "headers that are folded": (forever(HEAD + b"A: b\r\n", b" c\r\n" * 9999), "endless headers"),
    "lines that are no headers": (forever(HEAD, b"x\n" * 9999), "endless headers"),
    "interim answers": (forever(b"", b"HTTP/1.1 103\n\n" * 9999), "endless headers"),
    "trailers": (forever(CHUNKED + b"0\r\n", b"A:\n" * 9999), "endless headers"),
    "empty members of gzip": (forever(GZIPPED, gzip.compress(b"", mtime=0) * 999), "compressed"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COSTLY)
def test_processor_time_is_bounded(name: str) -> None:
    answer, words = COSTLY[name]
    with serving(answer) as server:
        assert processor_seconds(server.url, SourceUnavailable, words) < budget.PROCESSOR_SECONDS + LEEWAY


def test_chunks_have_64_bytes_on_average_once_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "FREE_CHUNKS", 10)
    small, usual = (b"%x\r\n%s\r\n" % (size, b"x" * size) for size in (63, 64))
    with serving(CHUNKED + usual * 2000 + b"0\r\n\r\n") as server:
        assert len(http.read(parse(server.url, POLICY), POLICY, Deadline(200))) == 2000 * 64
    with serving(CHUNKED + small * 2000 + b"0\r\n\r\n") as server:
        processor_seconds(server.url, SourceUnavailable, PIECES)


@pytest.mark.slow
def test_blocks_of_deflate_that_hold_nothing() -> None:
    """20 MiB of them would take ten times as long as the budget."""
    answer = forever(GZIPPED + gzip.compress(b"", mtime=0)[:10], EMPTY_BLOCKS * 700)
    with serving(answer) as server:
        seconds = processor_seconds(server.url, SourceUnavailable, PIECES)
    assert seconds < budget.PROCESSOR_SECONDS + LEEWAY


@pytest.mark.slow
def test_a_small_file_that_inflates() -> None:
    with serving(ok(gzip.compress(bytes(200 * 2**20), 1, mtime=0), "Content-Encoding: gzip")) as server:
        seconds = processor_seconds(server.url, PayloadTooLarge, "more than 20971520 bytes")
    assert seconds < budget.PROCESSOR_SECONDS + LEEWAY


def test_records_of_one_byte(contexts: dict[str, ssl.SSLContext]) -> None:
    with serving(in_pieces(HEAD + b"\r\n", b"x"), context=contexts["good"]) as server:
        seconds = processor_seconds(server.url, SourceUnavailable, PIECES)
        assert seconds < budget.PROCESSOR_SECONDS + LEEWAY


@pytest.mark.slow
def test_packets_of_one_byte() -> None:
    with serving(in_pieces(HEAD + b"\r\n", b"x")) as server:
        seconds = processor_seconds(server.url, ApiError, "too many small pieces|more than")
    assert seconds < budget.PROCESSOR_SECONDS + LEEWAY


def test_session_tickets_before_the_answer(contexts: dict[str, ssl.SSLContext]) -> None:
    """They are within TLS and no data: the bytes on the wire are what counts."""
    contexts["good"].num_tickets = 5000
    try:
        with serving(ok(b"hello"), context=contexts["good"]) as server:
            seconds = processor_seconds(server.url, SourceUnavailable, PIECES)
            assert seconds < budget.PROCESSOR_SECONDS + LEEWAY
    finally:
        contexts["good"].num_tickets = 2


@pytest.mark.slow
def test_usual_tickets_and_large_files_cost_little(contexts: dict[str, ssl.SSLContext]) -> None:
    file = bytes(20 * 2**20)
    with serving(ok(file), context=contexts["good"]) as server:
        start = time.thread_time()
        assert http.read(parse(server.url, POLICY), POLICY, Deadline(200)) == file
        assert time.thread_time() - start < budget.PROCESSOR_SECONDS


def dripping(connection: socket, head: bytes) -> None:
    connection.sendall(HEAD + b"\r\n")
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


@pytest.mark.slow
def test_a_server_that_drips_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "GRACE_SECONDS", 0.2)
    with (
        serving(dripping) as server,
        pytest.raises(SourceUnavailable, match="less than 10000 bytes a second"),
    ):
        http.read(parse(server.url, POLICY), POLICY, Deadline(60))


@pytest.mark.slow
def test_a_server_that_drips_and_then_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "GRACE_SECONDS", 0.2)
    left = threading.Event()

    def stalling(connection: socket, head: bytes) -> None:
        connection.sendall(HEAD)
        left.wait(20)

    with serving(stalling) as server:
        with pytest.raises(SourceUnavailable, match="less than 10000 bytes a second"):
            http.read(parse(server.url, POLICY), POLICY, Deadline(60))
        left.set()


@pytest.mark.slow
def test_a_server_may_think_before_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "GRACE_SECONDS", 0.1)

    def thinking(connection: socket, head: bytes) -> None:
        time.sleep(0.5)
        connection.sendall(b"HTTP/1.1 102 Processing\r\n\r\n")
        time.sleep(0.5)
        connection.sendall(ok(b"hello"))

    with serving(thinking) as server:
        assert http.read(parse(server.url, POLICY), POLICY, Deadline(60)) == b"hello"
