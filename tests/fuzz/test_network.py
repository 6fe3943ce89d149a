"""What the fuzzers fetch stays inside the process."""

import socket
import subprocess
import sys
import threading
from ipaddress import ip_address
from pathlib import Path

import pytest

from image_similarity.inference.errors import ApiError
from image_similarity.inference.sources import http
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.sources.url import parse
from tests.decoders.process_tree import wait_until
from tests.fuzz.network import network
from tests.fuzz.seed_answers import FILE, REFUSED, fetching_requests, redirects
from tests.fuzz.targets import STRICT, TARGETS
from tests.support.servers import redirect

ROOT = Path(__file__).parents[2]


def fetch(answers: list[bytes], url: str = "http://a.com/") -> tuple[bytes | str, int]:
    """The file, or the error's code; and how many connections it took."""
    with network(answers) as inside:
        try:
            return http.read(parse(url, STRICT), STRICT, Deadline(60)), inside.connections
        except ApiError as error:
            return error.code, inside.connections


def test_redirects_are_followed_from_answer_to_answer() -> None:
    assert fetch([FILE]) == (b"hello", 1)
    assert fetch([redirect("/b"), redirect("//b.com/"), redirect("https://b.com/"), FILE]) == (b"hello", 4)
    assert fetch([redirect("/again")]) == ("SourceUnavailable", 4)


def test_https_is_answered_without_tls_and_stays_https() -> None:
    assert fetch([FILE], "https://a.com/") == (b"hello", 1)
    assert fetch([redirect("http://a.com/"), FILE], "https://a.com/") == ("SourceNotAllowed", 1)


@pytest.mark.parametrize("place", REFUSED)
def test_no_connection_is_made_to_what_is_refused(place: str) -> None:
    code, connections = fetch([redirect(place), FILE])
    assert (code in {"SourceNotAllowed", "SourceUnavailable"}, connections) == (True, 1)


def threads() -> int:
    """All but those that decode, which are few and kept."""
    return sum(not thread.name.startswith("decode") for thread in threading.enumerate())


def test_targets_that_fetch_use_nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    used = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *asked, **_: used.append(asked))
    monkeypatch.setattr(socket.socket, "connect", lambda *asked: used.append(asked))
    before = threads()
    for data in redirects():
        TARGETS["http"](data)
    for data in fetching_requests():
        TARGETS["service"](data)
    assert not used
    wait_until(lambda: threads() <= before)


@pytest.mark.parametrize(
    "packet",
    [
        "socket.getaddrinfo('a.invalid', 80)",
        "socket.socket().connect(('127.0.0.1', 9))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 9))",
    ],
)
def test_a_severed_process_aborts_before_it_sends(packet: str) -> None:
    code = f"import socket; from tests.fuzz.network import sever; sever(); {packet}"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode < 0
    assert b"a packet would be sent" in done.stderr


def test_a_connection_to_a_refused_address_is_a_finding() -> None:
    with pytest.raises(AssertionError, match=r"connected to 10\.0\.0\.1"), network([FILE]) as inside:
        inside.connect([ip_address("10.0.0.1")], 80).close()
