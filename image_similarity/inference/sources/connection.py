"""A connection to a checked address, every byte and every read of which is counted."""

import functools
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TypeVar

import certifi

from image_similarity.inference.addresses import Address
from image_similarity.inference.sources.budget import Budget
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.url import Target

MAX_ADDRESSES = 4
"""Of one name; they are tried in order, each for its share of the time left."""
READ_BYTES = 64 * 1024
FINITE_FIELD = "kx-dhe"
"""OpenSSL's name for key exchange by Diffie and Hellman's original scheme."""
Result = TypeVar("Result")
PlaceAt = Callable[[Address], AbstractContextManager[None]]


class Stream:
    """The bytes of an open connection.

    A socket's time-out bounds one read: a server that sends a byte a second never runs into it. So the budget
    says before each read how long it may wait.
    """

    def __init__(self, opened: socket.socket, budget: Budget) -> None:
        self._socket = opened
        self._budget = budget

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._socket.settimeout(self._budget.deadline.remaining())
        self._socket.sendall(data)

    def read(self) -> bytes:
        """Some bytes, none at the end.

        Raises:
            OSError: the connection broke off.
            DeadlineExceededError, TooMuchReceivedError, TooCostlyError, TooSlowError: the budget is used up.
        """
        data = self._receive()
        self._budget.count_data(len(data))
        return data

    def _receive(self) -> bytes:
        while True:
            self._socket.settimeout(self._budget.patience())
            try:
                data = self._socket.recv(READ_BYTES)
            except TimeoutError:
                continue  # patience() says what is over
            self._budget.count_wire(len(data))
            return data


class TlsStream(Stream):
    """The same over TLS.

    OpenSSL is given the bytes and does not read the socket itself: in one read it would consume any number of
    records without data, such as session tickets, uncounted.
    """

    def __init__(self, opened: socket.socket, budget: Budget, host: str) -> None:
        """Shake hands.

        Raises:
            ssl.SSLError: the certificate is not the host's, or the server does not speak TLS.
        """
        super().__init__(opened, budget)
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        with _context_lock:
            context = _tls_context()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host.rstrip("."))
        self._step(self._tls.do_handshake)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        self._tls.write(data)
        self._flush()

    def read(self) -> bytes:
        """As `Stream.read`; many servers close without TLS's own closing message."""
        try:
            data = self._step(lambda: self._tls.read(READ_BYTES))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            data = b""
        self._budget.count_data(len(data))
        return data

    def _step(self, step: Callable[[], Result]) -> Result:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._flush()
                if data := self._receive():
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._outgoing.pending:
            super().send(self._outgoing.read())


_context_lock = threading.Lock()


@functools.lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """Certificates and names are verified, by the system's authorities (SSL_CERT_FILE) and Mozilla's.

    Keys are exchanged by elliptic curves only, as in browsers: the size of a finite field is the server's
    choice, and one of 10,000 bits costs a second of processor time in a single step of the handshake.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    ciphers = [cipher["name"] for cipher in context.get_ciphers() if cipher["kea"] != FINITE_FIELD]
    context.set_ciphers(":".join(ciphers))  # this leaves those of TLS 1.3 alone
    return context


@contextmanager
def connected(
    target: Target, addresses: Sequence[Address], budget: Budget, place_at: PlaceAt
) -> Iterator[Stream]:
    """A connection to the first of `addresses` that answers; the host's name is only used for TLS.

    Args:
        target: what is connected to.
        addresses: of its host; all of them have been checked.
        budget: counts what comes.
        place_at: gives a place at an address, which is held while connecting and while connected.

    Raises:
        OSError: none of them answers (ssl.SSLError: the certificate is not the host's, or no TLS).
        CrowdedError: one of them has no place left.
        DeadlineExceededError: the time is over.
        TooCostlyError, TooSlowError: the handshake takes too much.
    """
    budget.new_connection()
    with ExitStack() as held:
        opened = _open(addresses[:MAX_ADDRESSES], target.port, budget.deadline, place_at, held)
        held.enter_context(budget.deadline.breaking(opened))
        yield _stream(target, opened, budget)


def _stream(target: Target, opened: socket.socket, budget: Budget) -> Stream:
    return TlsStream(opened, budget, target.host) if target.scheme == "https" else Stream(opened, budget)


def _open(
    addresses: Sequence[Address], port: int, deadline: Deadline, place_at: PlaceAt, held: ExitStack
) -> socket.socket:
    """Connect. The socket and the place at its address go into `held`; failed ones are released."""
    failure = OSError("the name has no address")
    for index, address in enumerate(addresses):
        with ExitStack() as tried:
            tried.enter_context(place_at(address))
            try:
                seconds = deadline.remaining() / (len(addresses) - index)
                opened = tried.enter_context(_to(address, port, seconds, deadline))
            except OSError as error:
                failure = error
            else:
                held.enter_context(tried.pop_all())
                return opened
    raise failure


def _to(address: Address, port: int, seconds: float, deadline: Deadline) -> socket.socket:
    family = socket.AF_INET if isinstance(address, ipaddress.IPv4Address) else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.settimeout(seconds)
        with deadline.breaking(opened):
            opened.connect((str(address), port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        opened.close()
        raise
    return opened
