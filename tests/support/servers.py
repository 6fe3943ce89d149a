"""Real servers on loopback for the fetching tests, good and bad."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Handler = Callable[[socket.socket, bytes], None]


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, answer: Handler, context: ssl.SSLContext | None, host: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.answer, self.context = answer, context
        self.requests: list[bytes] = []
        self.connections = 0
        super().__init__((host, 0), _Connection)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what these tests are about."""


class _Connection(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.connections += 1
        connection = self.request
        connection.settimeout(100)
        if self.server.context:
            connection = self.server.context.wrap_socket(connection, server_side=True)
        head = b""
        # The first byte of a TLS handshake: answered like any other garbage, as plain HTTP servers do.
        while b"\r\n\r\n" not in head and head[:1] != b"\x16":
            received = connection.recv(4096)
            if not received:
                return
            head += received
        self.server.requests.append(head)
        self.server.answer(connection, head)


@contextmanager
def serving(
    answer: Handler | bytes, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[_Server]:
    """A server whose answer to every request is a function of it, or these bytes."""
    if isinstance(answer, bytes):
        content = answer
        handler: Handler = lambda connection, _: connection.sendall(content)  # noqa: E731
    else:
        handler = answer
    with _Server(handler, context, host) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ok(body: bytes, *headers: str) -> bytes:
    """An answer of status 200."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    """An answer that points elsewhere."""
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()
