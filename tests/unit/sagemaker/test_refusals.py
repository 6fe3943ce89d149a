"""A full house: every client sees the 503, whatever it still sends, and nobody keeps a connection by it."""

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest
import requests
import urllib3

from sagemaker.workers import cores
from tests.unit.sagemaker.test_server import (
    CLIENT,
    IMAGE_BODY,
    JSON,
    PATIENT,
    SERVE,
    SlowPictures,
    seated_at_last,
    serving,
    slow_pictures,
)

pytestmark = pytest.mark.slow

MIB = 1024**2
BODY = b'{"img": "' + b"A" * (5 * MIB) + b'"}'
PATIENCE, LINGER, LINGER_BYTES = 1.0, 1.0, 8 * MIB
SMALL = f"""{PATIENT}
from sagemaker import connections
server.PLACES_PER_CORE, server.FETCHING_PER_CORE = 0, 1  # as many places as cores, for fetches all of them
connections.LINGER_SECONDS, connections.LINGER_BYTES = {LINGER}, {LINGER_BYTES}
"""
COMMAND = f"{SMALL}server.PATIENCE_SECONDS = {PATIENCE}\n{SERVE}"
WAITING = f"{SMALL}server.PATIENCE_SECONDS = 100\n{SERVE}"
Seen = tuple[int, dict[str, str], bytes]


@contextlib.contextmanager
def unread(command: str) -> Iterator[str]:
    """A server whose log nobody wants, and which lives to the end."""
    with serving("-c", command) as (url, process):
        assert process.stdout
        threading.Thread(target=process.stdout.read, daemon=True).start()
        yield url
        assert process.poll() is None


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with unread(COMMAND) as url:
        yield url


@pytest.fixture(scope="module")
def waiting_server() -> Iterator[str]:
    """Whoever comes waits for a place, for longer than a busy machine needs to free one."""
    with unread(WAITING) as url:
        yield url


class House:
    """Every place is taken by a request that fetches; `open` lets them end."""

    def __init__(self, url: str, slow: SlowPictures, seated: list[Future[httpx.Response]]) -> None:
        self.url, self._slow, self._seated = url, slow, seated
        self.address = httpx.URL(url).host, httpx.URL(url).port or 80

    def open(self) -> None:
        self._slow.gate.set()
        assert [one.result().status_code for one in self._seated] == [200] * cores()

    @contextlib.contextmanager
    def caller(self, *sent: bytes) -> Iterator[socket.socket]:
        with socket.create_connection(self.address, timeout=60) as caller:
            for part in sent:
                caller.sendall(part)
            yield caller


@contextlib.contextmanager
def full_house(url: str) -> Iterator[House]:
    """All places of a server are taken while the block runs; then all who sat are served."""
    with slow_pictures() as slow, ThreadPoolExecutor(cores()) as threads:
        seated = [threads.submit(seated_at_last, url, slow.body) for _ in range(cores())]
        for _ in seated:
            assert slow.waiting.acquire(timeout=60)
        house = House(url, slow, seated)
        yield house
        house.open()


@pytest.fixture
def full(server: str) -> Iterator[House]:
    with full_house(server) as house:
        yield house
    # whatever was tried, the next one is served too
    assert seated_at_last(server, IMAGE_BODY).status_code == 200


def by_http_client(url: str, body: bytes) -> Seen:
    host = httpx.URL(url)
    connection = http.client.HTTPConnection(host.host, host.port, timeout=60)
    with contextlib.closing(connection):
        connection.request("POST", "/invocations", body, JSON)
        answer = connection.getresponse()
        seen = answer.status, dict(answer.headers), answer.read()
        connection.request("GET", "/ping")  # it connects anew
        assert connection.getresponse().status == 200
        return seen


def by_requests(url: str, body: bytes) -> Seen:
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{url}/invocations", data=body, headers=JSON, timeout=60)
        assert session.get(f"{url}/ping", timeout=60).status_code == 200
        return answer.status_code, dict(answer.headers), answer.content


def by_urllib3(url: str, body: bytes) -> Seen:
    with urllib3.PoolManager(retries=False) as pool:
        answer = pool.request("POST", f"{url}/invocations", body=body, headers=JSON, timeout=60)
        assert pool.request("GET", f"{url}/ping", timeout=60).status == 200
        return answer.status, dict(answer.headers), answer.data


def by_httpx(url: str, body: bytes) -> Seen:
    with httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.post(f"{url}/invocations", content=body, headers=JSON)
        assert client.get(f"{url}/ping").status_code == 200
        return answer.status_code, dict(answer.headers), answer.content


def by_curl(url: str, body: bytes, *more: str) -> Seen:
    command = ["curl", "-sS", "-i", "--noproxy", "*", "--max-time", "60", "--data-binary", "@-", *more]
    command += ["-H", "Content-Type: application/json", f"{url}/invocations"]
    done = subprocess.run(command, input=body, capture_output=True, check=False, timeout=100)
    assert done.returncode == 0, done.stderr
    answer = done.stdout.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    head, _, content = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.split(": ", 1) for line in lines), content


def by_curl_that_expects(url: str, body: bytes) -> Seen:
    return by_curl(url, body, "-H", "Expect: 100-continue")


CURL = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
CALLERS = [
    by_http_client,
    by_requests,
    by_urllib3,
    by_httpx,
    pytest.param(by_curl, marks=CURL),
    pytest.param(by_curl_that_expects, marks=CURL),
]


@pytest.mark.parametrize("size", [len(IMAGE_BODY), len(BODY)])
@pytest.mark.parametrize("call", CALLERS)
def test_every_client_sees_the_refusal_and_goes_on(
    full: House, call: Callable[[str, bytes], Seen], size: int
) -> None:
    status, headers, content = call(full.url, BODY if size == len(BODY) else IMAGE_BODY.encode())
    lower = {name.lower(): value for name, value in headers.items()}
    assert (status, json.loads(content)["code"]) == (503, "Unavailable")
    assert int(lower["retry-after"]) >= 1
    assert lower["connection"] == "close"
    assert json.loads(content)["requestId"] == lower["x-request-id"]


@pytest.mark.parametrize("call", CALLERS)
def test_who_waits_gets_a_place_that_becomes_free(
    waiting_server: str, call: Callable[[str, bytes], Seen]
) -> None:
    with full_house(waiting_server) as house, ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(call, house.url, IMAGE_BODY.encode())
        time.sleep(0.2)
        assert not waiting.done()
        house.open()
        assert waiting.result()[0] == 200


def head(length: int | str, *more: str) -> bytes:
    framing = "Transfer-Encoding: chunked" if length == "chunked" else f"Content-Length: {length}"
    lines = ["POST /invocations HTTP/1.1", "Host: a", "Content-Type: application/json", framing, *more]
    return "\r\n".join([*lines, "", ""]).encode()


def answer_of(caller: socket.socket) -> bytes:
    """Everything until the end that the server told."""
    return caller.makefile("rb").read()


def refused_once(answer: bytes) -> bool:
    return answer.startswith(b"HTTP/1.1 503 ") and answer.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("more", [(), ("Expect: 100-continue",)])
def test_the_answer_comes_before_any_body(full: House, more: tuple[str, ...]) -> None:
    """Nobody is told to go on, and the end of the answer is told at once, not when the connection ends."""
    with full.caller(head(5 * MIB, *more)) as caller:
        assert refused_once(answer_of(caller))


def test_ping_answers_meanwhile(full: House) -> None:
    with contextlib.ExitStack() as callers:
        for _ in range(100):
            callers.enter_context(full.caller(head(5 * MIB), b"x" * 1000))
        assert CLIENT.get(f"{full.url}/ping").status_code == 200


def test_a_length_that_is_a_lie_keeps_no_connection(full: House) -> None:
    with full.caller(head(5 * MIB), b"0123456789") as caller:
        assert refused_once(answer_of(caller))
        assert_gone(caller)


def test_a_body_that_drips_keeps_no_connection(full: House) -> None:
    with full.caller(head("chunked")) as caller:
        assert refused_once(answer_of(caller))
        assert_gone(caller, b"1\r\nx\r\n")


def assert_gone(caller: socket.socket, drip: bytes = b"x") -> None:
    """Whoever goes on sending is reset when the time is over, however slow the machine is."""
    sent_until_reset(caller, drip, LINGER + 60, pause=0.05)


def sent_until_reset(caller: socket.socket, piece: bytes, seconds: float, pause: float = 0.0) -> int:
    """Bytes that could be sent until the server ended the connection, which it has to in so many seconds."""
    end, sent = time.monotonic() + seconds, 0
    try:
        while time.monotonic() < end:
            caller.sendall(piece)
            sent += len(piece)
            time.sleep(pause)
    except (ConnectionResetError, BrokenPipeError):
        return sent
    pytest.fail(f"after {sent} bytes and {seconds} seconds there is still a connection")


def test_a_body_without_end_is_not_received(full: House) -> None:
    with full.caller(head("chunked")) as caller:
        assert refused_once(answer_of(caller))
        sent = sent_until_reset(caller, b"10000\r\n" + b"x" * 0x10000 + b"\r\n", 60)
    assert sent < 3 * LINGER_BYTES, "buffers of both ends have a few megabytes at most"


def test_no_later_request_is_found_in_what_is_dropped(full: House) -> None:
    """Neither in the rest of a body nor behind it: the caller is told that the connection ends."""
    ping = b"GET /ping HTTP/1.1\r\nHost: a\r\n\r\n"
    with full.caller(head(5 * MIB), ping * 1000) as caller:
        assert refused_once(answer_of(caller))
    with full.caller(head(2) + b"{}" + ping) as caller:
        assert refused_once(answer_of(caller))


def test_who_sends_slowly_takes_no_place_and_is_served(server: str) -> None:
    body = IMAGE_BODY.encode()
    with contextlib.ExitStack() as stack:
        slow = [
            stack.enter_context(socket.create_connection((httpx.URL(server).host, httpx.URL(server).port)))
            for _ in range(cores())
        ]
        for caller in slow:
            caller.sendall(head(len(body), "Connection: close") + body[:10])
        assert seated_at_last(server, IMAGE_BODY).status_code == 200
        for caller in slow:
            caller.sendall(body[10:])
            assert answer_of(caller).startswith(b"HTTP/1.1 200 ")


def test_callers_who_leave_while_they_wait_take_nothing(full: House) -> None:
    for _ in range(10):
        with full.caller(head(len(BODY)), BODY[:MIB]):
            pass
    full.open()
    assert seated_at_last(full.url, IMAGE_BODY).status_code == 200


def test_a_line_that_is_no_request_is_answered_although_more_comes(server: str) -> None:
    url: Any = httpx.URL(server)
    with socket.create_connection((url.host, url.port), timeout=60) as caller:
        caller.sendall(b"no request at all\r\n\r\n" + b"x" * MIB)
        assert answer_of(caller).startswith(b"HTTP/1.1 400 ")
