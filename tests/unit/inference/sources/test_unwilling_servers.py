"""Servers that give no picture: the caller is told the reason, and what to do."""

import gzip

import pytest

from image_similarity.inference.errors import ApiError, InvalidImage, SourceUnavailable
from tests.support.servers import ok, serving
from tests.unit.inference.sources.test_http import FILE, fails
from tests.unit.inference.sources.test_odd_servers import CHUNKS, HEAD, LENGTH, RAW_DEFLATE


def status(code: str, *headers: str, body: bytes = b"x") -> bytes:
    return ok(body, *headers).replace(b"200 OK", code.encode())


PAGE = b"<!doctype html><html><body>Please log in</body></html>"
REFUSED: dict[str, tuple[bytes, type[ApiError], str]] = {
    "401": (status("401 x"), SourceUnavailable, "answers 401: it needs a login or refuses us"),
    "403": (status("403 x"), SourceUnavailable, "answers 403: it needs a login or refuses us"),
    "404": (status("404 x"), SourceUnavailable, "answers 404: .*not found"),
    "404 with a picture": (status("404 x", body=FILE), SourceUnavailable, "answers 404: .*not found"),
    "410": (status("410 x"), SourceUnavailable, "answers 410: .*not found"),
    "429": (
        status("429 x", "Retry-After: 30"),
        SourceUnavailable,
        "answers 429: it is busy; try again later",
    ),
    "503": (status("503 x"), SourceUnavailable, "answers 503: it is busy; try again later"),
    "500": (status("500 x"), SourceUnavailable, "answers 500: a failure of its own; try again later"),
    "520": (status("520 x"), SourceUnavailable, "answers 520: a failure of its own"),
    "418": (status("418 x"), SourceUnavailable, "answers 418: not a file"),
    "300 without a place": (status("300 x"), SourceUnavailable, "answers 300: a choice of addresses"),
    "304": (b"HTTP/1.1 304 Not Modified\r\n\r\n", SourceUnavailable, "answers 304"),
    "101": (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", SourceUnavailable, "answers 101"),
    "205": (status("205 x", body=b""), SourceUnavailable, "answers 205: an empty answer"),
    "206": (status("206 x"), SourceUnavailable, "answers 206: only a part of the file"),
    "402": (status("402 x"), SourceUnavailable, "answers 402: it requires payment"),
    "407": (status("407 x"), SourceUnavailable, "answers 407: it needs a login"),
    "451": (status("451 x"), SourceUnavailable, "answers 451: it may not show the file"),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", SourceUnavailable, "an empty answer"),
    "empty": (ok(b""), SourceUnavailable, "an empty answer"),
    "empty chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        SourceUnavailable,
        "an empty answer",
    ),
    "empty gzip": (
        ok(gzip.compress(b"", mtime=0), "Content-Encoding: gzip"),
        SourceUnavailable,
        "an empty answer",
    ),
    "a web page": (ok(PAGE, "Content-Type: text/html"), InvalidImage, "a web page, not a picture"),
    "a web page that is said to be a picture": (
        ok(b"\xef\xbb\xbf\n " + PAGE, "Content-Type: image/jpeg"),
        InvalidImage,
        "a web page, not a picture",
    ),
    "a page of scripts": (ok(b"<script>x()</script>"), InvalidImage, "a web page, not a picture"),
    "a page by its type alone": (
        ok(b"<p>Hello", "Content-Type: text/html; charset=utf-8"),
        InvalidImage,
        "a web page, not a picture",
    ),
    "two lengths": (
        HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        SourceUnavailable,
        "Content-Length twice",
    ),
    "two lengths in a line": (
        HEAD + b"Content-Length: 5, 6\r\n\r\nhello",
        SourceUnavailable,
        "Content-Length twice",
    ),
    "two places": (
        b"HTTP/1.1 302 x\r\nLocation: /a\r\nLocation: /b\r\n\r\n",
        SourceUnavailable,
        "Location twice",
    ),
    "a body that breaks off": (
        HEAD + LENGTH + b"\r\nhello",
        SourceUnavailable,
        "breaks off before the file is complete",
    ),
    "a chunk that breaks off": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n9\r\nhello",
        SourceUnavailable,
        "breaks off before",
    ),
    "chunked in the middle": (
        HEAD + b"Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
        SourceUnavailable,
        "compressed .chunked, gzip",
    ),
    "more headers than a server needs": (ok(FILE, *["A: b"] * 300), SourceUnavailable, "endless headers"),
    "said to be gzip": (ok(FILE, "Content-Encoding: gzip"), SourceUnavailable, "Content-Encoding is wrong"),
    "said to be deflate": (
        ok(b"\xff" * 99, "Content-Encoding: deflate"),
        SourceUnavailable,
        "Encoding is wrong",
    ),
    "damaged gzip": (
        ok(gzip.compress(FILE, mtime=0)[:-8] + bytes(8), "Content-Encoding: gzip"),
        SourceUnavailable,
        "is damaged",
    ),
    "gzip that breaks off": (
        ok(gzip.compress(FILE, mtime=0)[:-9], "Content-Encoding: gzip"),
        SourceUnavailable,
        "breaks off within",
    ),
    "deflate that breaks off": (
        ok(RAW_DEFLATE[:-1], "Content-Encoding: deflate"),
        SourceUnavailable,
        "breaks off within",
    ),
    **{
        name: (ok(FILE, f"Content-Encoding: {name}"), SourceUnavailable, rf"compressed \({name}\)")
        for name in ("br", "zstd", "compress", "x-bzip2", "xz")
    },
    "brotli in gzip": (ok(FILE, "Content-Encoding: br, gzip"), SourceUnavailable, r"compressed \(br\)"),
    "gzip in gzip in gzip": (
        ok(FILE, "Content-Encoding: gzip, gzip, gzip"),
        SourceUnavailable,
        "in an unsupported way",
    ),
    "HTTP/2 in plain": (
        b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80\0\x04\0\x01\0\0\0",
        SourceUnavailable,
        "breaks off",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals_tell_the_reason(name: str) -> None:
    answer, error, words = REFUSED[name]
    with serving(answer) as server:
        fails(server.url, error, words)
