"""Every bad request through the whole service: refused as it should be, soon, and harmless to the next.

Prints the table of what was tried: pytest -s tests/security/test_attacks.py
"""

import base64
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inference.encoder import OnnxEncoder
from inference.service import Request, Service
from inference.sources import SourcePolicy
from tests.security.attacks import JSON, Attack, attacks
from tests.unit.image import files
from tests.unit.image.test_refusals import PHOTO

MODEL = Path(__file__).parents[2] / "models" / "embedded"
GOOD = json.dumps({"img": base64.b64encode(files.saved(PHOTO, "JPEG")).decode()}).encode()
KINDS = sorted({attack.kind for attack in attacks()})
NOT_BAD = {"bomb", "ballast", "dear"}
SECONDS = 25.0  # under Lambda's time-out, for the dearest on a busy machine; an idle core takes 2
MEGABYTES = 600  # above the resident model: 200 for the dearest image, twice that for a pair


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    encoder = OnnxEncoder(MODEL, threads=1)
    encoder.warm()
    yield Service(encoder, SourcePolicy())
    print("\n" + "\n".join(TABLE))


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that is wrong fails here instead of sending a packet."""

    def refuse(*_: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


TABLE = [f"{'class':14} {'count':>5}  {'longest':>8}  {'peak':>8}  next good request"]


def memory_peak() -> int:
    """Most resident memory since the last call, in MB (Linux; 0 elsewhere)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(peak.split()[1]) // 1024


def check(attack: Attack, service: Service) -> float:
    body = attack.make()
    headers = {} if attack.content_type is None else {"content-type": attack.content_type}
    start = time.perf_counter()
    answer = service.handle(Request(headers, body, None))
    duration = time.perf_counter() - start
    found = json.loads(answer.body)
    assert answer.status in {200, 400, 413, 415}, (attack, found)
    assert found.get("code", "") in attack.codes, (attack, found)
    assert found.get("message", "").isprintable(), attack
    assert len(answer.body) < 10_000, attack
    assert all(value.isprintable() for value in answer.headers.values()), attack
    assert duration < SECONDS, attack
    return duration


@pytest.mark.parametrize("kind", KINDS)
def test_class(kind: str, service: Service) -> None:
    wanted = service.handle(Request({"content-type": JSON}, GOOD, None)).body
    before, longest = memory_peak(), 0.0
    before = memory_peak()
    chosen = [attack for attack in attacks() if attack.kind == kind]
    for attack in chosen:
        longest = max(longest, check(attack, service))
        assert service.handle(Request({"content-type": JSON}, GOOD, None)).body == wanted, attack
    peak = memory_peak() - before
    assert peak < MEGABYTES
    TABLE.append(f"{kind:14} {len(chosen):5}  {longest:6.2f} s  {peak:5} MB  right, {len(chosen)} times")


def test_there_are_300_distinct_bad_requests() -> None:
    bodies = {(attack.make(), attack.content_type) for attack in attacks() if attack.kind not in NOT_BAD}
    assert len(bodies) >= 300
    assert len({(attack.kind, attack.name) for attack in attacks()}) >= 300
