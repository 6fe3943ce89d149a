"""A server on loopback that answers as a test says, and keeps what it was sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np

UNIT = [1.0, *[0.0] * 511]


@dataclass(frozen=True)
class Reply:
    """One answer; `body` is bytes as they are, or becomes JSON."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"X-Model": "embedded/test"})

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


NO_BATCHES = Reply({"code": "InvalidRequest", "message": 'Unknown field "images".', "requestId": "r"}, 400)


class StrangeServer(ThreadingHTTPServer):
    """Gives the replies in turn, the last one again and again; batches it refuses, as older APIs do.

    Attributes:
        batches: replies to batches, in turn, the last one again and again; none: batches are refused.
        batch_bodies: the batches that came.
    """

    daemon_threads = True

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.replies = replies
        self.bodies: list[Any] = []
        self.batches: list[Reply] = []
        self.batch_bodies: list[Any] = []
        self.paths: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/prod/image-similarity"


class _Handler(BaseHTTPRequestHandler):
    server: StrangeServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        content = json.loads(body)
        reply = self._to_batch(content) if "images" in content else self._to_one(content)
        self._send(reply)

    def _to_one(self, body: object) -> Reply:
        self.server.bodies.append(body)
        return self.server.replies[min(len(self.server.bodies), len(self.server.replies)) - 1]

    def _to_batch(self, body: object) -> Reply:
        self.server.batch_bodies.append(body)
        if not self.server.batches:
            return NO_BATCHES
        return self.server.batches[min(len(self.server.batch_bodies), len(self.server.batches)) - 1]

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        content = reply.content()
        for name, value in {**reply.headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def answering(*replies: Reply) -> Iterator[StrangeServer]:
    server = StrangeServer(list(replies))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def a_vector(seed: int) -> list[float]:
    numbers = np.random.default_rng(seed).normal(size=512)
    return [round(float(number), 6) for number in numbers / np.linalg.norm(numbers)]
