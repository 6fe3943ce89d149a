"""A refused request gives its memory back at once: no cycle of references waits for the collector."""

import base64
import gc
import json
import time
import tracemalloc
from collections.abc import Iterator
from socket import socket

import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.service import Request, Service
from image_similarity.inference.sources import SourcePolicy
from tests.security.test_attacks import MODEL
from tests.support.files import SMALL_PNG
from tests.support.servers import ok, serving

LIMIT = 4 * 1024**2
KEPT = 200_000  # bytes, of a request that read LIMIT
SETTLED_SECONDS = 60  # threads of fetches and of the test's own servers end in this time


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(MODEL, threads=1)


@pytest.fixture(scope="module")
def service(encoder: OnnxEncoder) -> Service:
    """With time for busy machines: tracing memory makes a fetch of LIMIT slow."""
    return Service(encoder, SourcePolicy(allow_private=True, max_bytes=LIMIT, timeout_seconds=60))


@pytest.fixture(scope="module")
def hasty(encoder: OnnxEncoder) -> Service:
    return Service(encoder, SourcePolicy(allow_private=True, max_bytes=LIMIT, timeout_seconds=1))


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


PART = b"x" * 65536
# Made before memory is traced: a client that leaves with a closed TCP window keeps a server's thread in its
# `sendall` for minutes, as the kernel probes such a connection ever more rarely. What that thread holds is
# the test's own, not the product's.
NEARLY = b"x" * (LIMIT - 1000)
WITHOUT_LENGTH = b"HTTP/1.1 200 OK\r\n\r\n" + NEARLY
WITH_LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n" + NEARLY


def endless(opened: socket, head: bytes) -> None:
    opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        opened.sendall(PART)


def stalling(opened: socket, head: bytes) -> None:
    opened.sendall(WITHOUT_LENGTH)
    opened.recv(1)  # until the other side goes


def breaking_off(opened: socket, head: bytes) -> None:
    opened.sendall(WITH_LENGTH)


def refused(service: Service, code: str, **fields: str) -> None:
    body = json.dumps(fields).encode()
    fields.clear()
    answer = service.handle(
        Request({"content-type": "application/json"}, body, None)
    )  # what a first one leaves
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(2):
        answer = service.handle(Request({"content-type": "application/json"}, body, None))
    assert json.loads(answer.body)["code"] == code
    assert settled_memory(before) - before < KEPT


def settled_memory(before: int) -> int:
    """Bytes in use once the threads have ended; what a cycle holds stays, as the collector is off."""
    end = time.monotonic() + SETTLED_SECONDS
    while (now := tracemalloc.get_traced_memory()[0]) - before >= KEPT and time.monotonic() < end:
        time.sleep(0.05)
    return now


@pytest.mark.parametrize(
    ("behaviour", "code"), [(endless, "PayloadTooLarge"), (breaking_off, "SourceUnavailable")]
)
def test_fetches(behaviour: object, code: str, service: Service) -> None:
    with serving(behaviour) as server:  # type: ignore[arg-type]
        refused(service, code, url_1=server.url, url_2=server.url)


def test_batches(service: Service) -> None:
    with serving(endless) as server, serving(ok(b"x" * LIMIT)) as other:
        images = [{"url": server.url}, {"url": f"http://localhost:{other.port}/"}] * 2
        body = json.dumps({"images": [*images, {"img": "!"}]}).encode()
        service.handle(Request({}, body))  # what a first one leaves
        before = tracemalloc.get_traced_memory()[0]
        answer = service.handle(Request({}, body))
        codes = [result["error"]["code"] for result in json.loads(answer.body)["results"]]
        assert codes == [*["PayloadTooLarge", "InvalidImage"] * 2, "InvalidImage"]
        assert settled_memory(before) - before < KEPT


def test_fetches_that_stall(hasty: Service) -> None:
    with serving(stalling) as server:
        refused(hasty, "SourceUnavailable", url_1=server.url, url_2=server.url)


def test_files_that_are_no_images(service: Service) -> None:
    with serving(ok(b"x" * LIMIT)) as server:
        refused(service, "InvalidImage", url_1=server.url, url_2=server.url)


def test_broken_images(service: Service) -> None:
    broken = SMALL_PNG[:41] + b"x" * 20 + bytes(3 * 1024**2) + SMALL_PNG[61:]
    refused(service, "InvalidImage", img=base64.b64encode(broken).decode())
