"""Requests that break while they are answered: one answer, and no error of ours in the log."""

import contextlib
import json
import signal
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.sagemaker.test_refusals import COMMAND, answer_of, full_house, head, refused_once
from tests.unit.sagemaker.test_server import post, serving

pytestmark = pytest.mark.slow
BROKEN_CHUNK = b"zz\r\n"
PING = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"


@contextlib.contextmanager
def logged() -> Iterator[tuple[str, list[str]]]:
    """A server's address and the records of its log, complete at the end: it has to exit with 0."""
    records: list[str] = []
    with serving("-c", COMMAND) as (url, process):
        assert process.stdout
        lines = process.stdout
        reading = threading.Thread(target=lambda: records.extend(lines), daemon=True)
        reading.start()
        yield url, records
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        reading.join(60)
        assert not reading.is_alive()


def defects(records: list[str]) -> list[str]:
    """What was logged as an error, apart from the lines of requests."""
    entries = [json.loads(record) for record in records]
    return [entry["message"] for entry in entries if "logger" in entry and entry["level"] == "ERROR"]


def test_a_body_that_breaks_while_it_waits_for_a_place_is_answered_once() -> None:
    with (
        logged() as (url, records),
        full_house(url) as house,
        house.caller(head("chunked"), BROKEN_CHUNK) as caller,
    ):
        answer = answer_of(caller)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert post(url, "{}").status_code == 503  # its patience ends after that of the broken one
    assert not defects(records)


def test_a_body_that_breaks_after_the_answer_ends_the_connection() -> None:
    with logged() as (url, records):
        address = httpx.URL(url)
        with socket.create_connection((address.host, address.port), timeout=60) as caller:
            caller.sendall(head("chunked").replace(b"/invocations", b"/nowhere"))
            received = caller.recv(65536)
            while b"Not Found" not in received.partition(b"\r\n\r\n")[2]:
                received += caller.recv(65536)
            caller.sendall(BROKEN_CHUNK)
            assert b"HTTP/1.1 " not in answer_of(caller)
    assert not defects(records)


def test_requests_behind_one_that_is_refused_do_not_take_its_answer_away() -> None:
    with logged() as (url, records), full_house(url) as house, house.caller() as caller:
        caller.settimeout(60)
        sending = threading.Thread(target=send_all, args=(caller, head(2) + b"{}" + PING * 2**18))
        sending.start()
        assert refused_once(answer_of(caller))
        caller.shutdown(socket.SHUT_RDWR)
        sending.join(60)
    assert not defects(records)


def send_all(caller: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):  # the server need not take all of it
        caller.sendall(data)
