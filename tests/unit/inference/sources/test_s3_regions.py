"""A bucket in another region, as S3 answers for it: a HEAD has no body that could say so, only a header."""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from image_similarity.inference.errors import SourceUnavailable
from tests.support.servers import Handler, ok, serving
from tests.unit.inference.sources.test_s3 import FILE, credentials, fails, read

__all__ = ["credentials"]  # a fixture of every test here

HERE, THERE = b"us-east-1", b"eu-west-1"


def moved(region: bytes) -> bytes:
    """S3's answer to a HEAD that is signed for another region: nothing but headers."""
    return (
        b"HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: " + region + b"\r\nConnection: close\r\n\r\n"
    )


@contextmanager
def region(answer: Handler, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """S3 as this answers it; what was asked, as method and region of the signature."""
    asked: list[bytes] = []

    def noted(connection: socket.socket, head: bytes) -> None:
        signed_for = re.search(rb"Credential=testing/[0-9]{8}/([a-z0-9-]+)/s3/aws4_request", head)
        assert signed_for
        asked.append(head.split()[0] + b" " + signed_for[1])
        answer(connection, head)

    with serving(noted) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", server.url)
        yield asked


@pytest.mark.slow
def test_a_bucket_in_another_region_is_read_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(connection: socket.socket, head: bytes) -> None:
        if b"/" + THERE + b"/s3/" not in head:
            connection.sendall(moved(THERE))
        else:
            connection.sendall(ok(FILE, 'ETag: "1"').removesuffix(FILE if head.startswith(b"HEAD") else b""))

    with region(answer, monkeypatch) as asked:
        assert read("s3://elsewhere/cat.jpg") == FILE
    assert asked == [b"HEAD " + HERE, b"HEAD " + THERE, b"GET " + THERE]


@pytest.mark.slow
@pytest.mark.parametrize("status", [b"301 Moved Permanently", b"400 Bad Request"])
def test_a_bucket_in_a_region_that_refuses_us(status: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = moved(THERE).replace(b"301 Moved Permanently", status)
    with region(lambda connection, _: connection.sendall(refusal), monkeypatch) as asked:
        fails("s3://elsewhere/hidden", SourceUnavailable, "in a region that this deployment can't read from")
    assert asked == [b"HEAD " + HERE, b"HEAD " + THERE]
