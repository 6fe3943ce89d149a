"""The load generator: a process of its own that counts answers and refusals, and says what it cost."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

import pytest

from bench.measure import load

pytestmark = pytest.mark.slow


class Answering(ThreadingHTTPServer):
    """Answers the statuses in turn, and keeps what was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses = cycle([200, 503])
        self.bodies: set[bytes] = set()
        self.answered: list[int] = []
        self.pings = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            status = next(self.server.statuses)
            self.server.bodies.add(body)
            self.server.answered.append(status)
        self._answer(status)

    def do_GET(self) -> None:
        self.server.pings += 1
        self._answer(200)

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Answering]:
    with Answering() as answering:
        threading.Thread(target=answering.serve_forever, args=(0.01,), daemon=True).start()
        yield answering
        answering.shutdown()


def test_answers_and_refusals_are_counted_and_the_clients_cost_is_theirs(server: Answering) -> None:
    before = os.times()
    seen = load.run(server.server_port, "/invocations", json.dumps({"img": "x"}).encode(), 4, 0.5)
    after = os.times()
    assert server.bodies == {b'{"img": "x"}'}
    assert len(seen.times) == server.answered.count(200) > 0
    assert seen.refused == server.answered.count(503) > 0
    assert min(seen.times) > 0
    assert seen.seconds >= 0.5
    # It is a child's time, not this process's, and not more than the child had.
    children = after.children_user + after.children_system - before.children_user - before.children_system
    assert 0 < seen.cpu_seconds <= children + 0.02
    served = seen.served(4)
    assert served.load_cpu == pytest.approx(seen.cpu_seconds / seen.seconds)
    assert served.rps == pytest.approx(len(seen.times) / seen.seconds)


def test_an_answer_that_is_neither_ends_the_measurement(server: Answering) -> None:
    server.statuses = cycle([200, 500])
    with pytest.raises(RuntimeError, match=r"500 b'\{\}'"):
        load.run(server.server_port, "/invocations", b"{}", 2, 0.5)


def test_pings_are_asked_meanwhile(server: Answering) -> None:
    with load.pinging(server.server_port) as pings:
        load.run(server.server_port, "/invocations", b"{}", 1, 0.5)
    assert len(pings) == server.pings >= 1
    assert min(pings) > 0
