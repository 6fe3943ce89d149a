"""The files of a batch: side by side, each for itself, and bounded together."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from socket import socket

import pytest

from image_similarity.inference.errors import ApiError, PayloadTooLarge, SourceUnavailable, Unavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import Files, SourcePolicy
from image_similarity.inference.sources.allowance import Allowance, AllowanceUsedUpError
from tests.support.servers import ok, serving

POLICY = SourcePolicy(allow_private=True, timeout_seconds=60)
MIB = 1024**2


def by_urls(*urls: str) -> list[Source]:
    return [Source.by_url(f"images[{index}].url", url) for index, url in enumerate(urls)]


def all_of(sources: Sequence[Source], policy: SourcePolicy = POLICY) -> list[bytes | Exception]:
    outcomes: dict[int, bytes | Exception] = {}
    with Files(sources, policy) as files:
        while len(outcomes) < len(sources):
            arrivals = files.take(wait=True)
            assert arrivals, "nothing arrived, and not everything was there"
            outcomes |= dict(arrivals)
        assert files.take(wait=True) == []
    return [outcomes[index] for index in range(len(sources))]


def test_files_come_with_their_index_and_failures_with_their_field() -> None:
    with serving(ok(b"file")) as server:
        outcomes = all_of(
            by_urls(server.url, "ftp://x/", "data:;base64,QUJD", "http://127.0.0.1:9/", server.url)
        )
    assert [outcome for outcome in outcomes if isinstance(outcome, bytes)] == [b"file", b"ABC", b"file"]
    errors = [str(outcome) for outcome in outcomes if isinstance(outcome, ApiError)]
    assert errors[0].startswith("images[1].url: only http")
    assert errors[1].startswith("images[3].url: the server can't be reached")


def test_what_is_there_is_taken_before_a_slow_server_answers() -> None:
    release = threading.Event()

    def late(connection: socket, _head: bytes) -> None:
        release.wait(60)
        connection.sendall(ok(b"late"))

    with (
        serving(late) as slow,
        serving(ok(b"fast")) as fast,
        Files(by_urls(slow.url, f"http://localhost:{fast.port}/"), POLICY) as files,
    ):
        assert files.take(wait=True) == [(1, b"fast")]
        assert files.take(wait=False) == []
        release.set()
        assert files.take(wait=True) == [(0, b"late")]


@pytest.mark.slow
def test_a_server_that_never_answers_fails_its_own_files_alone() -> None:
    ended = threading.Event()

    def never(_connection: socket, _head: bytes) -> None:
        ended.wait(100)

    with serving(never) as silent, serving(ok(b"fast"), host="127.0.0.2") as fast:
        urls = [silent.url] * 6 + [f"http://127.0.0.2:{fast.port}/"] * 6
        outcomes = all_of(by_urls(*urls), replace(POLICY, timeout_seconds=4.0))
        ended.set()
    assert all(isinstance(outcome, SourceUnavailable) for outcome in outcomes[:6])
    assert all("not there after 4 seconds" in str(outcome) for outcome in outcomes[:6])
    assert outcomes[6:] == [b"fast"] * 6


@pytest.mark.slow
def test_at_most_four_files_are_fetched_from_one_server_at_a_time() -> None:
    lock, now, most, four = threading.Lock(), 0, 0, threading.Event()

    def counting(connection: socket, _head: bytes) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
            if now == 4:
                four.set()
        four.wait(50)
        time.sleep(0.05)  # in which a fifth would come
        with lock:
            now -= 1
        connection.sendall(ok(b"file"))

    with serving(counting) as server:
        assert all_of(by_urls(*[server.url] * 16)) == [b"file"] * 16
    assert most == 4


@pytest.mark.slow
def test_so_many_files_as_are_fetched_at_once_take_places() -> None:
    counts: list[int] = []

    @contextmanager
    def place(count: int) -> Iterator[None]:
        counts.append(count)
        yield

    with serving(ok(b"file")) as server:
        urls = [server.url] * 7 + [f"http://localhost:{server.port}/"] * 2 + ["data:;base64,QUJD"]
        with Files(by_urls(*urls), POLICY, place):
            pass
        with Files(by_urls("data:;base64,QUJD", "ftp://x/"), POLICY, place):
            pass
    assert counts == [6]


def test_without_a_place_nothing_is_sent() -> None:
    @contextmanager
    def full(_count: int) -> Iterator[None]:
        raise Unavailable("full")
        yield

    with serving(ok(b"file")) as server:
        with pytest.raises(Unavailable), Files(by_urls(server.url), POLICY, full):
            pytest.fail("it began")
        assert server.connections == 0


@pytest.mark.slow
@pytest.mark.parametrize("declares", [True, False], ids=["declared", "not declared"])
def test_sixteen_files_of_twenty_mebibytes_are_refused_within_the_bounds(declares: bool) -> None:
    lock, sent = threading.Lock(), 0
    piece = bytes(64 * 1024)

    def large(connection: socket, _head: bytes) -> None:
        nonlocal sent
        length = f"Content-Length: {20 * MIB}\r\n" if declares else ""
        connection.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n".encode())
        for _ in range(20 * MIB // len(piece)):
            connection.sendall(piece)
            with lock:
                sent += len(piece)

    with serving(large) as server:
        outcomes = all_of(by_urls(*[server.url] * 16), POLICY)
    whole = [outcome for outcome in outcomes if isinstance(outcome, bytes)]
    # Where sizes are declared, three have room; else as many as are whole before the bytes are used up.
    assert len(whole) == 3 if declares else len(whole) < 4
    assert all(len(file) == 20 * MIB for file in whole)
    refused = [outcome for outcome in outcomes if not isinstance(outcome, bytes)]
    assert all(isinstance(outcome, PayloadTooLarge) for outcome in refused), refused
    assert all("more than 67108864 bytes in all" in str(outcome) for outcome in refused)
    # What the system's buffers take beside it, on both sides of each connection.
    assert sent < (64 + 16 * 8) * MIB


def test_an_allowance_counts_what_came_and_returns_what_did_not() -> None:
    allowance = Allowance(100)
    assert b"".join(allowance.counted([b"x" * 30, b"x" * 30], declared=90)) == b"x" * 60
    assert b"".join(allowance.counted([b"x" * 40])) == b"x" * 40
    with pytest.raises(AllowanceUsedUpError):
        list(allowance.counted([b"x"]))


def test_a_file_that_does_not_fit_is_not_read() -> None:
    def parts() -> Iterator[bytes]:
        pytest.fail("it was read")
        yield b""

    with pytest.raises(AllowanceUsedUpError):
        list(Allowance(100).counted(parts(), declared=101))


def test_a_file_with_more_than_it_declared_counts_whole() -> None:
    allowance = Allowance(100)
    with pytest.raises(AllowanceUsedUpError):
        list(allowance.counted([b"x" * 60, b"x" * 60], declared=10))
    with pytest.raises(AllowanceUsedUpError):
        list(allowance.counted([b"x" * 41]))
    assert list(allowance.counted([b"x" * 40])) == [b"x" * 40]


def test_the_place_is_free_again_as_soon_as_all_files_are_there() -> None:
    held = 0

    @contextmanager
    def place(_count: int) -> Iterator[None]:
        nonlocal held
        held += 1
        yield
        held -= 1

    with serving(ok(b"file")) as server, Files(by_urls(server.url), POLICY, place) as files:
        assert held == 1
        assert files.take(wait=True) == [(0, b"file")]
        assert held == 0
    assert held == 0
