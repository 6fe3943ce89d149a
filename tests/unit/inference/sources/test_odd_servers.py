"""Servers that are odd and mean well, as they are met on the web."""

import gzip
import zlib

import pytest

from image_similarity.inference.errors import SourceUnavailable
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.sources.answer import MAX_HEAD_BYTES
from image_similarity.inference.sources.http import ACCEPT
from tests.support.servers import ok, serving
from tests.unit.inference.sources.test_http import FILE, POLICY, fails, read

HEAD = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(FILE)
RAW_DEFLATE = zlib.compress(FILE, wbits=-15)


def chunked(body: bytes, size: int = 1000, end: bytes = b"0\r\n\r\n", newline: bytes = b"\r\n") -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x" % len(part) + newline + part + newline for part in parts) + end


CHUNKS = chunked(FILE)
GOOD: dict[str, bytes] = {
    "early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + ok(FILE),
    "continue": b"HTTP/1.1 100 Continue\r\n\r\n" + ok(FILE),
    "several interim answers": b"HTTP/1.1 102 Processing\r\n\r\n" * 3 + b"HTTP/1.1 199 x\r\n\r\n" + ok(FILE),
    "203": ok(FILE).replace(b"200 OK", b"203 Non-Authoritative Information"),
    "no reason": ok(FILE).replace(b"200 OK", b"200"),
    "no reason, a space": ok(FILE).replace(b"200 OK", b"200 "),
    "a reason that is not ASCII": ok(FILE).replace(b"200 OK", "200 Gültig".encode()),
    "HTTP/1.0 to the end": b"HTTP/1.0 200 OK\r\n\r\n" + FILE,
    "HTTP/1.0 in chunks": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "lines that end with LF": b"HTTP/1.1 200 OK\nContent-Length: %d\n\n" % len(FILE) + FILE,
    "chunk lines that end with LF": b"HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n"
    + chunked(FILE, newline=b"\n", end=b"0\n\n"),
    "chunked in capitals": HEAD + b"Transfer-Encoding: CHUNKED\r\n\r\n" + CHUNKS,
    "chunked, twice": HEAD + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n" + CHUNKS,
    "identity, chunked": HEAD + b"Transfer-Encoding: identity, chunked\r\n\r\n" + CHUNKS,
    "Transfer-Encoding: identity": HEAD + b"Transfer-Encoding: identity\r\n" + LENGTH + b"\r\n" + FILE,
    "Transfer-Encoding: gzip, chunked": HEAD
    + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
    + chunked(gzip.compress(FILE, mtime=0)),
    "chunks and a wrong length": HEAD + b"Content-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunk sizes with spaces and zeros": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n00%x  \r\n" % len(FILE)
    + FILE
    + b"\r\n0\r\n\r\n",
    "trailers": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + chunked(FILE, end=b"0\r\nA: 1\r\nB: 2\r\n\r\n"),
    "no last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(FILE, end=b""),
    "no end after the last chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(FILE, end=b"0\r\n"),
    "the length twice": HEAD + LENGTH * 2 + b"\r\n" + FILE,
    "the length twice in a line": HEAD + b"Content-Length: 25600, 25600\r\n\r\n" + FILE,
    "a negative length": HEAD + b"Content-Length: -1\r\n\r\n" + FILE,
    "a length that is none": HEAD + b"Content-Length: unknown\r\n\r\n" + FILE,
    "an empty length": HEAD + b"Content-Length:\r\n\r\n" + FILE,
    "more bytes than the length": ok(FILE) + b"rubbish",
    "a line without a colon": HEAD
    + b"A: b\r\nThis line has no colon\r\nTransfer-Encoding: chunked\r\n\r\n"
    + CHUNKS,
    "a name with a space": HEAD + b"Bad Name: x\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "a name without letters": HEAD + b": x\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "a space before the colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n" + CHUNKS,
    "no space after the colon": HEAD + b"Transfer-Encoding:chunked\r\n\r\n" + CHUNKS,
    "a folded header": HEAD + b"A: a;\r\n b;\r\n\tc\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "a header that is folded at once": HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "a fold before any header": HEAD + b" x\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "a header in UTF-8": HEAD
    + 'Content-Disposition: inline; filename="写真\x85.jpg"\r\n'.encode()
    + b"\r\n"
    + FILE,
    "control characters in a header": HEAD + b"A: \x00\x01\x0b\x0c\x1c\x85\r\n" + LENGTH + b"\r\n" + FILE,
    "120 headers": ok(FILE, *[f"X-{number}: 1" for number in range(120)]),
    "a header of 70 kB": ok(FILE, "Content-Security-Policy: " + "a" * 70_000),
    "a type that is none": ok(FILE, "Content-Type: application/octet-stream"),
    "a picture that is said to be a web page": ok(b"\xff\xd8" + FILE[2:], "Content-Type: text/html"),
}
WITHOUT_COMPRESSION = [
    "",
    " ",
    "none",
    "identity",
    "aws-chunked",
    "binary",
    "utf-8",
    "UTF-8",
    "8bit",
    "base64",
    "null",
    "image/jpeg",
    "identity, aws-chunked",
    ",",
    "ISO-8859-1",
    "plain",
    "gzipped",
]
COMPRESSED = {
    "gzip": gzip.compress(FILE, mtime=0),
    "x-gzip": gzip.compress(FILE, mtime=0),
    "GZIP": gzip.compress(FILE, mtime=0),
    "gzip, identity": gzip.compress(FILE, mtime=0),
    "gzip,aws-chunked": gzip.compress(FILE, mtime=0),
    "deflate": zlib.compress(FILE),
    "Deflate ": RAW_DEFLATE,
    "deflate, gzip": gzip.compress(zlib.compress(FILE), mtime=0),
}


@pytest.mark.parametrize("name", GOOD)
def test_odd_answers_are_read(name: str) -> None:
    with serving(GOOD[name]) as server:
        assert read(server.url)[2:] == FILE[2:]


@pytest.mark.parametrize(("spare", "is_read"), [(2, True), (1, False)])
def test_the_headers_of_an_answer_have_less_than_128_kib(spare: int, *, is_read: bool) -> None:
    lines = [f"Content-Length: {len(FILE)}", "Connection: close", "A: "]
    others = sum(len(line) + len("\n") for line in lines)
    with serving(ok(FILE, "A: " + "a" * (MAX_HEAD_BYTES - others - spare))) as server:
        if is_read:
            assert read(server.url) == FILE
        else:
            fails(server.url, SourceUnavailable, "endless headers")


@pytest.mark.parametrize("value", WITHOUT_COMPRESSION)
def test_content_encodings_that_are_no_compression(value: str) -> None:
    with serving(ok(FILE, f"Content-Encoding: {value}")) as server:
        assert read(server.url) == FILE


@pytest.mark.parametrize("value", COMPRESSED)
def test_compressed_answers_are_unpacked(value: str) -> None:
    with serving(ok(COMPRESSED[value], f"Content-Encoding: {value}")) as server:
        assert read(server.url) == FILE


def test_an_encoding_in_two_equal_lines_is_one() -> None:
    with serving(ok(gzip.compress(FILE, mtime=0), *["Content-Encoding: gzip"] * 2)) as server:
        assert read(server.url) == FILE


def test_who_asks_is_told() -> None:
    policy = SourcePolicy(allow_private=True, contact="mailto:images@example.com")
    with serving(ok(FILE)) as server:
        assert read(server.url, policy) == FILE
    assert b"\r\nUser-Agent: image-similarity/1.0.0 (+mailto:images@example.com)\r\n" in server.requests[0]


def test_what_is_read_is_preferred() -> None:
    """By RFC 9110 section 12.5.1: the most specific range says how welcome a type is."""
    ranges = {kind: float(quality or 1) for kind, _, quality in
              (part.partition(";q=") for part in ACCEPT.split(", "))}  # fmt: skip
    assert ranges["image/jpeg"] == ranges["image/png"] == 1
    assert (
        ranges["image/jpeg"]
        > ranges["image/bmp"]
        > ranges["image/webp"]
        > ranges["image/*"]
        > ranges["*/*"]
        > 0
    )
    with serving(ok(FILE)) as server:
        assert read(server.url, POLICY) == FILE
    assert f"\r\nAccept: {ACCEPT}\r\n".encode() in server.requests[0]
