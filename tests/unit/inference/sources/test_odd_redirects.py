"""Where servers redirect to, as they write it."""

from socket import socket

import pytest

from image_similarity.inference.errors import SourceNotAllowed
from image_similarity.inference.sources import SourcePolicy
from tests.support.servers import Handler, ok, redirect, serving
from tests.unit.inference.sources.test_http import FILE, fails, read

LOCATIONS = {
    "a space": (b"/a b.jpg", b"/a%20b.jpg"),
    "UTF-8": ("/写.jpg".encode(), b"/%E5%86%99.jpg"),
    "Latin-1": (b"/caf\xe9.jpg", b"/caf%E9.jpg"),
    "relative": (b"a.jpg", b"/x/a.jpg"),
    "a query alone": (b"?a=1", b"/x/y?a=1"),
    "a fragment": (b"/a.jpg#_=_", b"/a.jpg"),
    "dots": (b"/x/../a.jpg", b"/a.jpg"),
    "more dots than folders": (b"../../../../a.jpg", b"/a.jpg"),
    "an escape that is none": (b"/100%.jpg", b"/100%.jpg"),
    "spaces around": (b"  /a.jpg \t", b"/a.jpg"),
    "quotes and brackets": (b'/"<a>{b}|^`', b"/%22%3Ca%3E%7Bb%7D%7C%5E%60"),
}


def leading_to(place: bytes, *, status: bytes = b"302", repeated: int = 1) -> Handler:
    """Redirects the first request there, and answers the second with the file."""
    lines = b"Location: " + place + b"\r\n"

    def answer(connection: socket, head: bytes) -> None:
        first = head.startswith(b"GET /x/y ")
        moved = b"HTTP/1.1 " + status + b" x\r\n" + lines * repeated + b"Content-Length: 0\r\n\r\n"
        connection.sendall(moved if first else ok(FILE))

    return answer


@pytest.mark.parametrize("name", LOCATIONS)
def test_redirects_as_servers_write_them(name: str) -> None:
    place, path = LOCATIONS[name]
    with serving(leading_to(place)) as server:
        assert read(f"{server.url}/x/y") == FILE
    assert server.requests[1].split()[1] == path


@pytest.mark.parametrize("form", ["//{host}/a", "HTTP://{host}/a", "http://{host}/a?b#c"])
def test_redirects_with_a_host(form: str) -> None:
    with serving(ok(FILE)) as last:
        place = form.format(host=f"127.0.0.1:{last.port}").encode()
        with serving(leading_to(place)) as server:
            assert read(f"{server.url}/x/y") == FILE


@pytest.mark.parametrize("status", [b"300", b"301", b"302", b"303", b"307", b"308"])
def test_statuses_that_redirect(status: bytes) -> None:
    with serving(leading_to(b"/a", status=status, repeated=2)) as server:
        assert read(f"{server.url}/x/y") == FILE


def test_the_body_of_a_redirect_is_not_waited_for() -> None:
    body = redirect("/a").replace(b"Content-Length: 0", b"Content-Length: 100000000")
    with serving(lambda connection, head: connection.sendall(body if b"/x" in head else ok(FILE))) as server:
        assert read(f"{server.url}/x") == FILE


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (rb"\a.jpg", "not fetched: has a backslash"),
        (rb"\\b.com\a.jpg", "not fetched: has a backslash"),
        (rb"http://b.com\@127.0.0.1/", "not fetched: has a backslash"),
        (b"http://a:b@127.0.0.1/", "not fetched: has credentials"),
        (b"javascript:alert(1)", "not fetched: only http"),
        (b"data:image/png;base64,QQ==", "not fetched: only http"),
    ],
)
def test_redirects_that_are_refused(place: bytes, words: str) -> None:
    with serving(leading_to(place)) as server:
        fails(f"{server.url}/x/y", SourceNotAllowed, words)


def test_a_switch_of_hosts_holds_on_redirects_too() -> None:
    policy = SourcePolicy(allow_private=True, url_hosts=frozenset({"127.0.0.1"}))
    with serving(redirect("http://localhost/")) as server:
        fails(
            server.url, SourceNotAllowed, "not fetched: not a host that this deployment fetches from", policy
        )
    fails("http://localhost/", SourceNotAllowed, "^url: not a host .*UrlHosts", policy)
    none = SourcePolicy(allow_private=True, url_hosts=frozenset())
    fails("http://127.0.0.1/", SourceNotAllowed, "fetches nothing from the web", none)
