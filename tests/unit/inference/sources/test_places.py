"""Few fetches at once to one server, by name and by address; who waits has the deadline, and may give up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from ipaddress import ip_address
from socket import socket

import pytest

from image_similarity.inference import sources
from image_similarity.inference.errors import SourceUnavailable, Unavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, http
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from image_similarity.inference.sources.places import AT_ONCE, CrowdedError, Places
from tests.support.servers import ok, serving
from tests.unit.inference.sources.test_http import FILE

POLICY = SourcePolicy(allow_private=True, timeout_seconds=100)


@pytest.mark.slow
def test_so_many_pass_and_the_next_waits_for_its_turn() -> None:
    places, passed = Places(at_once=2, in_line=1), threading.Event()

    def third() -> None:
        with places.at("a.com", Deadline(60)):
            passed.set()

    with ExitStack() as two:
        for _ in range(2):
            two.enter_context(places.at("a.com", Deadline(60)))
        waiting = threading.Thread(target=third)
        waiting.start()
        assert not passed.wait(0.2)
        with places.at("b.com", Deadline(60)):
            pass
        with pytest.raises(CrowdedError), places.at("a.com", Deadline(60)):
            pytest.fail("a second waits")
    assert passed.wait(60)
    waiting.join()
    assert not places._working
    assert not places._waiting


def test_waiting_ends_with_the_deadline_and_with_the_answer() -> None:
    places = Places(at_once=1)
    with places.at("a.com", Deadline(60)):
        with pytest.raises(DeadlineExceededError), places.at("a.com", Deadline(0.05)):
            pytest.fail("passed")
        cancelled = Deadline(60)
        threading.Timer(0.1, cancelled.cancel).start()
        start = time.monotonic()
        with pytest.raises(DeadlineExceededError), places.at("a.com", cancelled):
            pytest.fail("passed")
        assert time.monotonic() - start < 50
    with places.at("a.com", Deadline(60)):
        pass


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1.1.1.1", "1.1.1.1", True),
        ("1.1.1.1", "1.1.1.2", False),
        ("2606:4700::1", "2606:4700::ffff:1", True),
        ("2606:4700::1", "2606:4700:0:1::1", False),
    ],
)
def test_an_ipv6_network_is_one_server(one: str, other: str, same: bool) -> None:
    places = Places(at_once=1, in_line=0)
    with places.at(ip_address(one), Deadline(60)):
        if same:
            with pytest.raises(CrowdedError), places.at(ip_address(other), Deadline(60)):
                pytest.fail("passed")
        else:
            with places.at(ip_address(other), Deadline(60)):
                pass


def test_the_roots_dot_makes_no_other_server() -> None:
    places = Places(at_once=1, in_line=0)
    with places.at("a.com", Deadline(60)), pytest.raises(CrowdedError), places.at("a.com.", Deadline(60)):
        pytest.fail("passed")


class Counted:
    """A server's answers, held back until `gate` is set, and the most that were under way at once."""

    def __init__(self) -> None:
        self.arrived, self.gate = threading.Semaphore(0), threading.Event()
        self.most = self._now = 0
        self._lock = threading.Lock()

    def answer(self, connection: socket, head: bytes) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.arrived.release()
        self.gate.wait(60)
        with self._lock:
            self._now -= 1
        connection.sendall(ok(FILE))


def test_many_names_of_one_address_are_one_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """And what waits too long, or is one too many, is told so."""
    monkeypatch.setattr(http, "places", Places(in_line=2))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("127.0.0.1", 0))])
    counted = Counted()

    def read(number: int) -> bytes | str:
        source = Source.by_url("url", f"http://host{number}.example:{server.port}/")
        try:
            return sources.read_all([source], POLICY)[0]
        except Unavailable as error:
            return error.message

    with serving(counted.answer) as server, ThreadPoolExecutor(20) as threads:
        first = [threads.submit(read, number) for number in range(AT_ONCE)]
        for _ in range(AT_ONCE):
            assert counted.arrived.acquire(timeout=60)
        rest = [threads.submit(read, number) for number in range(10, 20)]
        while sum(one.done() for one in rest) < 8:
            time.sleep(0.01)
        counted.gate.set()
        answers = [one.result() for one in (*first, *rest)]
    assert counted.most == AT_ONCE
    assert answers.count(FILE) == AT_ONCE + 2
    assert sum("already being fetched from this server" in str(one) for one in answers if one != FILE) == 8


@pytest.mark.slow
def test_addresses_that_do_not_answer_make_no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The place is one of the address that is connected to, wherever it stands among a name's."""
    monkeypatch.setattr(http, "places", Places())

    def addresses(host: str, *_: object, **__: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        silent = f"127.0.1.{host.removeprefix('host').partition('.')[0]}"
        return [(0, 0, 0, "", (silent, 0)), (0, 0, 0, "", ("127.0.0.1", 0))]

    monkeypatch.setattr("socket.getaddrinfo", addresses)
    counted = Counted()

    def read(number: int) -> bytes:
        return sources.read_all(
            [Source.by_url("url", f"http://host{number}.example:{server.port}/")], POLICY
        )[0]

    with serving(counted.answer) as server, ThreadPoolExecutor(2 * AT_ONCE) as threads:
        reading = [threads.submit(read, number) for number in range(1, 1 + 2 * AT_ONCE)]
        for _ in range(AT_ONCE):
            assert counted.arrived.acquire(timeout=60)
        assert not counted.arrived.acquire(timeout=0.5)
        counted.gate.set()
        assert [one.result() for one in reading] == [FILE] * 2 * AT_ONCE
    assert counted.most == AT_ONCE
    assert not http.places._working


@pytest.mark.slow
def test_who_waits_until_the_deadline_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places(at_once=1)
    monkeypatch.setattr(http, "places", places)
    short = SourcePolicy(allow_private=True, timeout_seconds=0.3)
    with serving(ok(FILE)) as server, places.at("127.0.0.1", Deadline(60)):
        with pytest.raises(SourceUnavailable, match="not there after"):
            sources.read_all([Source.by_url("url", server.url)], short)
        assert server.connections == 0
