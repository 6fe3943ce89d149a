"""A network that is not there: names resolve and servers answer inside this process, and nothing is sent."""

import os
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import ssrfguard

from image_similarity.inference.addresses import Address, blocked_by
from image_similarity.inference.sources import connection
from image_similarity.inference.sources.http import MAX_REDIRECTS
from image_similarity.inference.sources.url import Target

SEPARATOR = b"\r\n==\r\n"
"""Between the answers to one connection after the other; the last one is given to all that follow."""
MAX_ANSWER_BYTES = 60_000  # fits a socket's buffer, so that sending waits for nobody
SECONDS = 10
# What a name resolves to is told by its first label, and public for any other.
PUBLIC = ("1.1.1.1", "2606:4700:4700::1111")
NAMES = {
    "nowhere": (),
    "private": ("10.0.0.1",),
    "mixed": ("1.1.1.1", "127.0.0.1"),
    "mapped": ("::ffff:169.254.169.254",),
    "zone": ("fe80::1%eth0",),
}
FORBIDDEN_EVENTS = (
    "socket.connect",
    "socket.getaddrinfo",
    "socket.gethostby",
    "socket.sendto",
    "socket.sendmsg",
)


class Network:
    """Names, and one server that answers each connection with the next of its answers.

    A connection is a socket pair; TLS is left out, so that what is behind it is reached.
    """

    def __init__(self, answers: Sequence[bytes]) -> None:
        self.connections = 0
        self.broken: list[str] = []
        self._answers = answers
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()

    def resolve(self, host: str, port: int, *_: object, **__: object) -> list[tuple[object, ...]]:
        """In place of socket.getaddrinfo."""
        found = NAMES.get(host.partition(".")[0], PUBLIC)
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    def connect(self, addresses: Sequence[Address], port: int, *_: object, **__: object) -> socket.socket:
        """In place of connection._open: only for what may be connected to, by another library's table too."""
        for address in addresses:
            if blocked_by(address) is not None or not ssrfguard.Policy().permits_address(address):
                self.broken.append(f"connected to {address}")
        if not addresses or port not in {80, 443}:
            self.broken.append(f"connected to {addresses}, port {port}")
        ours, theirs = socket.socketpair()
        with self._lock:
            answer = self._answers[min(self.connections, len(self._answers) - 1)]
            self.connections += 1
            self._open.append(theirs)
        theirs.sendall(answer[:MAX_ANSWER_BYTES])
        theirs.shutdown(socket.SHUT_WR)
        return ours

    def refuse(self, *arguments: object) -> None:
        """In place of socket.socket.connect, which nothing should get to."""
        self.broken.append(f"a packet would be sent: {arguments}")
        raise AssertionError(self.broken)

    def close(self) -> None:
        """Hang up."""
        for server in self._open:
            server.close()


@contextmanager
def network(answers: Sequence[bytes], sources: int = 1) -> Iterator[Network]:
    """Everything that is fetched in the block, by this thread or one that it starts, is fetched from here."""
    inside, before = Network(answers), set(threading.enumerate())
    with (
        mock.patch.object(socket, "getaddrinfo", inside.resolve),
        mock.patch.object(socket.socket, "connect", inside.refuse),
        mock.patch.object(connection, "_open", inside.connect),
        mock.patch.object(connection, "_stream", _without_tls(connection._stream)),
    ):
        try:
            yield inside
        finally:
            # A fetch that nobody waits for any more must not meet the real network.
            for thread in set(threading.enumerate()) - before:
                if thread.name.startswith("fetch"):
                    thread.join(SECONDS)
                    assert not thread.is_alive()
            inside.close()
    assert not inside.broken, inside.broken
    assert inside.connections <= sources * (MAX_REDIRECTS + 1)


def _without_tls(make: Callable[..., connection.Stream]) -> Callable[..., connection.Stream]:
    def made(target: Target, *rest: object, **options: object) -> connection.Stream:
        return make(replace(target, scheme="http"), *rest, **options)

    return made


def sever() -> None:
    """From now on this process aborts when it looks up a name, connects or sends a datagram."""

    def check(event: str, arguments: tuple[object, ...]) -> None:
        if event.startswith(FORBIDDEN_EVENTS):
            print(f"a packet would be sent: {event} {arguments}", file=sys.stderr, flush=True)
            os.abort()

    sys.addaudithook(check)
