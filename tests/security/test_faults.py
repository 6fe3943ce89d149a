"""Faults around a request: no disk, a clock that jumps, callers that stall, many threads at once."""

import base64
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.service import Request, Service
from image_similarity.inference.sources import SourcePolicy
from sagemaker.server import PLACES_PER_CORE
from sagemaker.workers import cores
from tests.security.attacks import JSON, attacks
from tests.security.test_attacks import GOOD, MODEL
from tests.support.backends import sagemaker_backend
from tests.support.servers import ok, serving

ROOT = Path(__file__).parents[2]
BESIDE = {"broken", "truncated", "other JPEG", "request"}
WITHOUT_DISK = """
import resource, sys
from image_similarity.inference.service import Request, load_service
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
service = load_service({}, threads=1)
answer = service.handle(Request({"content-type": "application/json"}, sys.stdin.buffer.read(), None))
print(answer.status)
"""


@pytest.fixture(scope="module")
def service() -> Service:
    return Service(OnnxEncoder(MODEL, threads=1), SourcePolicy(allow_private=True, timeout_seconds=60))


def answer(service: Service, body: bytes) -> bytes:
    return service.handle(Request({"content-type": JSON}, body, None)).body


def test_a_full_disk_is_not_noticed(tmp_path: Path) -> None:
    """Not one byte may be written to a file, and there is no folder for temporary ones."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path / "none")}
    command = [sys.executable, "-c", WITHOUT_DISK]
    done = subprocess.run(command, input=GOOD, env=environment, capture_output=True, timeout=100, check=False)
    assert done.stdout.strip() == b"200", done.stderr.decode()


def test_a_clock_that_jumps_cuts_no_fetch_short(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    file = base64.b64decode(json.loads(GOOD)["img"])
    monkeypatch.setattr(time, "time", lambda: random.choice([0.0, 4e9]))
    with serving(ok(file)) as server:
        assert answer(service, json.dumps({"url": server.url}).encode()) == answer(service, GOOD)


def test_bad_requests_beside_good_ones_in_threads(service: Service) -> None:
    wanted = answer(service, GOOD)
    bad = [attack.make() for attack in attacks() if attack.kind in BESIDE]
    bodies = [body for each in bad for body in (each, GOOD)]
    random.Random(4).shuffle(bodies)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda body: (body, answer(service, body)), bodies))
    assert all(found == wanted for body, found in answers if body == GOOD)


def test_callers_that_stall_hold_up_nobody_else() -> None:
    """Bodies that never come, more of them than there are places: they take none, and others are answered."""
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    with sagemaker_backend({}) as backend, httpx.Client(trust_env=False, timeout=100) as client:
        port = httpx.URL(backend.url).port
        stalled = [
            socket.create_connection(("127.0.0.1", port)) for _ in range(PLACES_PER_CORE * cores() + 4)
        ]
        for caller in stalled:
            caller.sendall(head + b"Content-Length: 99\r\n\r\n{")
        assert client.post(backend.url, content=GOOD, headers={"Content-Type": JSON}).status_code == 200
        for caller in stalled:
            caller.close()
        assert client.post(backend.url, content=GOOD, headers={"Content-Type": JSON}).status_code == 200


def test_threads_do_not_pile_up() -> None:
    """A fetch that fails leaves no thread behind, nor does the one beside it, whose server stalls."""
    patient = Service(OnnxEncoder(MODEL, threads=1), SourcePolicy(allow_private=True, timeout_seconds=120))
    released = threading.Event()

    def fetching() -> int:
        return sum(thread.name.startswith("fetch-") for thread in threading.enumerate())

    def stall(_connection: socket.socket, _head: bytes) -> None:
        released.wait(120)

    missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    with serving(stall) as slow, serving(missing) as absent:
        body = json.dumps({"url_1": absent.url, "url_2": slow.url}).encode()
        codes = {json.loads(answer(patient, body))["code"] for _ in range(20)}
        deadline = time.monotonic() + 100
        while fetching() and time.monotonic() < deadline:
            time.sleep(0.01)
        left, begun = fetching(), absent.connections
        released.set()
    assert codes == {"SourceUnavailable"}
    assert (left, begun) == (0, 20)
