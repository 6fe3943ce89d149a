"""Fetching from real servers on loopback: good answers, bad answers, and no answer at all."""

import time
from socket import socket

import pytest

from image_similarity.inference import sources
from image_similarity.inference.errors import ApiError, PayloadTooLarge, SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy
from tests.support.servers import ok, redirect, serving

FILE = bytes(range(256)) * 100
POLICY = SourcePolicy(allow_private=True, max_bytes=100_000, timeout_seconds=20.0)
LEEWAY = 30.0  # seconds that a busy machine may need after the deadline


def read(url: str, policy: SourcePolicy = POLICY) -> bytes:
    return sources.read_all([Source.by_url("url", url)], policy)[0]


def fails(url: str, error: type[ApiError], words: str, policy: SourcePolicy = POLICY) -> None:
    start = time.monotonic()
    with pytest.raises(error, match=words) as caught:
        read(url, policy)
    assert time.monotonic() - start < policy.timeout_seconds + LEEWAY
    assert str(caught.value).startswith("url: ")
    assert "secret" not in str(caught.value)


def test_a_file_and_what_is_asked_for_it() -> None:
    with serving(ok(FILE)) as server:
        assert read(f"{server.url}/a/b.jpg?size=1&secret=%20x#part") == FILE
    head = server.requests[0].decode()
    assert head.startswith("GET /a/b.jpg?size=1&secret=%20x HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head
    assert not {"authorization", "cookie", "referer"} & {
        line.split(":")[0].lower() for line in head.splitlines()
    }


def test_characters_that_are_not_ascii_are_encoded() -> None:
    with serving(ok(FILE)) as server:
        assert read(f"{server.url}/Käse?ö=é") == FILE
    assert server.requests[0].startswith(b"GET /K%C3%A4se?%C3%B6=%C3%A9 HTTP/1.1\r\n")


def test_chunks_and_answers_without_a_length() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n"
    )
    with serving(chunked) as server:
        assert read(server.url) == b"hello world"
    with serving(lambda connection, _: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")) as server:
        assert read(server.url) == b"hello"


def test_a_file_of_exactly_the_limit_and_one_byte_more() -> None:
    with serving(ok(bytes(POLICY.max_bytes))) as server:
        assert len(read(server.url)) == POLICY.max_bytes
    with serving(ok(bytes(POLICY.max_bytes + 1))) as server:
        fails(server.url, PayloadTooLarge, "more than 100000 bytes")


@pytest.mark.slow
def test_proxies_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"HTTP/1.1 500 no\r\n\r\n") as proxy, serving(ok(FILE)) as server:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert read(server.url) == FILE
    assert proxy.connections == 0


@pytest.mark.slow
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_three_redirects_are_followed(status: int) -> None:
    with (
        serving(ok(FILE)) as last,
        serving(redirect(last.url + "/x?y=1", status)) as third,
        serving(redirect(third.url, status)) as second,
        serving(redirect(second.url, status)) as first,
    ):
        assert read(first.url) == FILE
    assert last.requests[0].startswith(b"GET /x?y=1 ")


def test_a_relative_redirect() -> None:
    def answer(connection: socket, head: bytes) -> None:
        connection.sendall(ok(FILE) if b"GET /there/K%C3%A4se " in head else redirect("/there/Käse"))

    with serving(answer) as server:
        assert read(f"{server.url}/here") == FILE


def test_endless_redirects() -> None:
    with serving(redirect("/again")) as server:
        fails(server.url, SourceUnavailable, "more than 3 times")
    assert server.connections == 4


@pytest.mark.parametrize(
    "location",
    [
        *("ftp://x/", "file:///etc/passwd", "s3://bucket/key", "http://u:p@h/", "gopher://x"),
        *("http://[/", "http://[29xyz:1]/", "//[::1"),
    ],
)
def test_redirects_to_what_is_not_fetched(location: str) -> None:
    with serving(redirect(location)) as server:
        fails(server.url, SourceNotAllowed, "url: redirected to an address that is not fetched: ")


HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
BAD_ANSWERS: dict[str, tuple[bytes, type[ApiError], str]] = {
    "not found": (b"HTTP/1.1 404 Not Found\r\n\r\n", SourceUnavailable, "answers 404"),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", SourceUnavailable, "answers 204"),
    "a part": (b"HTTP/1.1 206 Partial Content\r\n\r\n", SourceUnavailable, "answers 206"),
    "server error": (b"HTTP/1.1 500 Oops\r\n\r\n", SourceUnavailable, "answers 500"),
    "nothing": (b"", SourceUnavailable, "breaks off"),
    "a banner": (b"SSH-2.0-OpenSSH_9.6\r\n", SourceUnavailable, "breaks off"),
    "rubbish": (b"\xff\x00" * 500, SourceUnavailable, "breaks off"),
    "short body": (HEAD + b"Content-Length: 9\r\n\r\nhello", SourceUnavailable, "breaks off"),
    "short chunk": (CHUNKED + b"9\r\nhello", SourceUnavailable, "breaks"),
    "a chunk of no size": (
        CHUNKED + b"z\r\nhello", SourceUnavailable, "breaks"),
    "two lengths": (
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", SourceUnavailable, "where it ends"),
    "compressed": (ok(b"x", "Content-Encoding: gzip"), SourceUnavailable, "compressed"),
    "a redirect to nowhere": (b"HTTP/1.1 302 Found\r\n\r\n", SourceUnavailable, "without saying where"),
    "500 headers": (ok(b"x", *["A: b"] * 500), SourceUnavailable, "endless headers"),
    "a header of 200 kB": (ok(b"x", "A: " + "b" * 200_000), SourceUnavailable, "endless headers"),
    "99 headers of 60 kB": (ok(b"x", *["A: " + "b" * 60_000] * 99), SourceUnavailable, "endless headers"),
    "a large declared length": (HEAD + b"Content-Length: 99999999999\r\n\r\n", PayloadTooLarge, "more"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_ANSWERS)
def test_bad_answers(name: str) -> None:
    answer, error, words = BAD_ANSWERS[name]
    with serving(answer) as server:
        fails(server.url + "/?secret=1", error, words)


def test_nothing_listens() -> None:
    with serving(b"") as server:
        url = server.url
    fails(url, SourceUnavailable, "can't be reached")
