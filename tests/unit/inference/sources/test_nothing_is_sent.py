"""A refused address gets no byte and no connection: a listener behind it sees nothing.

Resolver and connector are ours. Every address but the public one leads to the listener, so that a filter that
lets one pass is seen there, and nothing leaves this machine; the last test turns the filter off and sees it.
"""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from image_similarity.inference import sources
from image_similarity.inference.errors import SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, http
from tests.support.servers import _Server, ok, redirect, serving

STRICT = SourcePolicy(timeout_seconds=60)
PUBLIC, LOOPBACK = "93.184.215.14", "127.0.0.1"
INSIDE = b"inside"


@pytest.fixture
def listener() -> Iterator[_Server]:
    """Answers behind the refused addresses, where no request may come."""
    with serving(ok(INSIDE)) as server:
        yield server
    assert server.connections == 0


class Network:
    """Resolver and connector of a test: names have the answers it says, addresses lead where it says.

    Args:
        names: for each name its answers, one after the other; the last one stays.
        inside: the listener, which every address leads to but PUBLIC.
        outside: the server that PUBLIC leads to.
    """

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        names: dict[str, list[list[str]]],
        inside: _Server,
        outside: _Server | None = None,
    ) -> None:
        self.names, self.lookups, self.connected = names, 0, list[str]()
        real = socket.socket.connect

        def resolve(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
            self.lookups += 1
            answers = self.names[host]
            return [
                (0, 0, 0, "", (address, port)) for address in (answers.pop(0) if answers[1:] else answers[0])
            ]

        def connect(opened: socket.socket, address: tuple[str, int]) -> None:
            self.connected.append(address[0])
            server = outside if outside and address[0] == PUBLIC else inside
            # Sockets for IPv6 reach a listener on IPv4 by its mapped address.
            loopback = LOOPBACK if opened.family == socket.AF_INET else f"::ffff:{LOOPBACK}"
            real(opened, (loopback, server.port))

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        monkeypatch.setattr(socket.socket, "connect", connect)


def read(url: str) -> bytes:
    return sources.read_all([Source.by_url("url", url)], STRICT)[0]


FORMS = ["127.0.0.1", "0.0.0.0", "[::1]", "[::127.0.0.1]", "[::ffff:127.0.0.1]"]
FORMS += ["[64:ff9b::127.0.0.1]", "[2002:7f00:1::]"]


@pytest.mark.parametrize("host", FORMS)
def test_addresses_in_the_url(host: str, monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    network = Network(monkeypatch, {}, listener)
    with pytest.raises(SourceNotAllowed, match="not a public one"):
        read(f"http://{host}/")
    assert (network.lookups, network.connected) == (0, [])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "fe80::1%lo", "10.0.0.1"]
)
def test_names_of_refused_addresses(address: str, monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    network = Network(monkeypatch, {"inside.example": [[address]]}, listener)
    with pytest.raises(SourceNotAllowed, match="not a public one"):
        read("http://inside.example/")
    assert network.connected == []


@pytest.mark.parametrize(
    "answers", [[PUBLIC, LOOPBACK], [LOOPBACK, PUBLIC], [PUBLIC, PUBLIC, "::ffff:127.0.0.1"]]
)
def test_a_mixed_answer(answers: list[str], monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    network = Network(monkeypatch, {"mixed.example": [answers]}, listener)
    with pytest.raises(SourceNotAllowed):
        read("http://mixed.example/")
    assert network.connected == []


def test_a_rebinding_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    """The second answer would be loopback: it is never asked for."""
    with serving(ok(b"outside")) as server:
        network = Network(monkeypatch, {"rebind.example": [[PUBLIC], [LOOPBACK]]}, listener, server)
        assert read("http://rebind.example/") == b"outside"
    assert (network.lookups, network.connected) == (1, [PUBLIC])
    assert b"Host: rebind.example\r\n" in server.requests[0]


def test_a_rebinding_name_behind_a_redirect(monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    with serving(redirect("/again")) as server:
        network = Network(monkeypatch, {"rebind.example": [[PUBLIC], [LOOPBACK]]}, listener, server)
        with pytest.raises(SourceNotAllowed):
            read("http://rebind.example/")
    assert (network.lookups, network.connected) == (2, [PUBLIC])


@pytest.mark.parametrize(
    "target", [f"http://{host}/" for host in FORMS] + ["//localhost/", "http://inside.example/"]
)
def test_a_redirect_to_a_refused_address(
    target: str, monkeypatch: pytest.MonkeyPatch, listener: _Server
) -> None:
    names = {"outside.example": [[PUBLIC]], "inside.example": [[LOOPBACK]], "localhost": [["::1"]]}
    with serving(redirect(target)) as server:
        network = Network(monkeypatch, names, listener, server)
        with pytest.raises(SourceNotAllowed, match="not a public one"):
            read("http://outside.example/")
    assert network.connected == [PUBLIC]


def test_a_redirect_to_another_port(monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    with serving(redirect(f"http://outside.example:{listener.port}/")) as server:
        Network(monkeypatch, {"outside.example": [[PUBLIC]]}, listener, server)
        with pytest.raises(SourceNotAllowed, match=r"url: redirected .* not fetched: port \d+ is not"):
            read("http://outside.example/")


def test_names_that_are_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(SourceUnavailable, match="name is not known"):
        read("http://nowhere.example/")


@pytest.mark.slow
def test_the_deadline_holds_for_a_resolver_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(100) or [])
    start = time.monotonic()
    with pytest.raises(SourceUnavailable, match=r"not there after 0.3 seconds"):
        sources.read_all([Source.by_url("url", "http://slow.example/")], SourcePolicy(timeout_seconds=0.3))
    assert time.monotonic() - start < 30
    released.set()


def test_other_addresses_of_a_name_are_tried(monkeypatch: pytest.MonkeyPatch, listener: _Server) -> None:
    with serving(ok(b"outside")) as server:
        network = Network(monkeypatch, {"two.example": [["93.184.215.15", PUBLIC]]}, listener, server)
        real = socket.socket.connect

        def refuse(opened: socket.socket, address: tuple[str, int]) -> None:
            if address[0] != PUBLIC:
                network.connected.append(address[0])
                raise ConnectionRefusedError
            real(opened, address)

        monkeypatch.setattr(socket.socket, "connect", refuse)
        assert read("http://two.example/") == b"outside"
    assert network.connected == ["93.184.215.15", PUBLIC]


WAYS_IN = [f"http://{host}/" for host in (*FORMS, "inside.example", "mixed.example", "outside.example")]


@pytest.mark.parametrize("url", WAYS_IN)
def test_the_listener_would_see_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the filter each of the ways above ends at the listener: its silence means something."""
    monkeypatch.setattr(http, "blocked_by", lambda *_, **__: None)
    names = {
        "inside.example": [["::1"]],
        "mixed.example": [[LOOPBACK, PUBLIC]],
        "outside.example": [[PUBLIC]],
    }
    with serving(ok(INSIDE)) as inside, serving(redirect("http://inside.example/")) as outside:
        Network(monkeypatch, names, inside, outside)
        assert read(url) == INSIDE
        assert inside.connections == 1
