"""A urllib3 connection to a checked address, with a deadline and a limit on what it receives."""

import functools
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection

from image_similarity.inference.addresses import Address
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from image_similarity.inference.sources.url import Target

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer as Buffer

MAX_ADDRESSES = 4
"""Of one name, tried in order, each for its share of the time left."""


class TooMuchReceivedError(Exception):
    """More bytes came over the connection than its limit."""


class Guard:
    """What a connection's reads must keep: the deadline, and the bytes received.

    A time-out of a socket bounds one read; a server that sends a byte a second passes it for ever.
    """

    def __init__(self, deadline: Deadline, max_bytes: int) -> None:
        self.deadline = deadline
        self.max_bytes = max_bytes
        self._received = 0

    def count(self, received: int) -> None:
        """Note what a read brought."""
        self._received += received
        if self._received > self.max_bytes:
            raise TooMuchReceivedError


class _GuardedReads:
    """Mixed into both classes of socket: http.client and urllib3 read by recv_into alone."""

    guard: Guard | None = None

    def recv_into(self, buffer: "Buffer", nbytes: int | None = None, flags: int = 0) -> int:
        if self.guard is None:
            return super().recv_into(buffer, nbytes or 0, flags)  # type: ignore[misc,no-any-return]
        self.settimeout(self.guard.deadline.remaining())  # type: ignore[attr-defined]
        received: int = super().recv_into(buffer, nbytes or 0, flags)  # type: ignore[misc]
        self.guard.count(received)
        return received


class _PlainSocket(_GuardedReads, socket.socket):
    pass


class _TlsSocket(_GuardedReads, ssl.SSLSocket):
    pass


_context_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Certificates and names are verified, by the system's authorities (SSL_CERT_FILE) and Mozilla's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.sslsocket_class = _TlsSocket
    return context


@contextmanager
def connected(target: Target, addresses: Sequence[Address], guard: Guard) -> Iterator[HTTPConnection]:
    """A connection to the first of `addresses` that answers; the host's name is for TLS and the Host header.

    Raises:
        OSError: none of them answers (ssl.SSLError: the certificate is not the host's, or no TLS).
        DeadlineExceededError: the time is over.
    """
    plain = _open(addresses[:MAX_ADDRESSES], target.port, guard.deadline)
    with plain, guard.deadline.breaking(plain):
        connection = _connection(target, plain, guard.deadline)
        try:
            connection.connect()
            cast(_GuardedReads, connection.sock).guard = guard
            yield connection
        finally:
            connection.close()


def _open(addresses: Sequence[Address], port: int, deadline: Deadline) -> _PlainSocket:
    failure = OSError("the name has no address")
    for index, address in enumerate(addresses):
        family = socket.AF_INET if isinstance(address, ipaddress.IPv4Address) else socket.AF_INET6
        opened = _PlainSocket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(deadline.remaining() / (len(addresses) - index))
            with deadline.breaking(opened):
                opened.connect((str(address), port))
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            opened.settimeout(deadline.remaining())
        except OSError as error:
            opened.close()
            failure = error
        except DeadlineExceededError:
            opened.close()
            raise
        else:
            return opened
    raise failure


def _connection(target: Target, opened: socket.socket, deadline: Deadline) -> HTTPConnection:
    connection: _Pinned
    if target.scheme == "http":
        connection = _Pinned(target.host, target.port, timeout=deadline.remaining())
    else:
        with _context_lock:
            context = _tls_context()
        connection = _PinnedTls(target.host, target.port, timeout=deadline.remaining(), ssl_context=context)
    connection.opened = opened
    return connection


class _Pinned(HTTPConnection):
    opened: socket.socket

    def _new_conn(self) -> socket.socket:
        return self.opened


class _PinnedTls(_Pinned, HTTPSConnection):
    pass
