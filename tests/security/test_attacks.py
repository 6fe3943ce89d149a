"""Every bad request through the whole service: refused as it should be, soon, and harmless to the next.

Prints the table of what was tried (pytest -s) and writes it to test-results/attacks.md.
"""

import base64
import hashlib
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.errors import ApiError
from image_similarity.inference.service import Request, Service
from image_similarity.inference.sources import SourcePolicy
from tests.security.attacks import JSON, READ, Attack, attacks
from tests.support import files
from tests.support.servers import ok, serving
from tests.unit.inference.image.test_refusals import PHOTO

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "image_similarity" / "models" / "embedded"
TABLE = ROOT / "test-results" / "attacks.md"
HEADS = [
    "class",
    "inputs",
    "answers",
    "longest, processor",
    "longest, clock",
    "peak memory",
    "next good request",
]
GOOD = json.dumps({"img": base64.b64encode(files.saved(PHOTO, "JPEG")).decode()}).encode()
KINDS = sorted({attack.kind for attack in attacks()})
STATUS = {error.code: error.status for error in ApiError.__subclasses__()}
FETCHED = {"bomb", "ballast"}  # by URL: half of them are larger than a request may be
NOT_BAD = {"ballast", "dear"}
SECONDS = 3.0  # of processor time, which a busy machine does not stretch as it does the clock's
DEAR_MEGABYTES = 600  # above the resident model: 200 for the dearest image, twice that for a pair
MEGABYTES = 200


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    encoder = OnnxEncoder(MODEL, threads=1)
    encoder.warm()
    return encoder


@pytest.fixture(scope="module")
def table() -> Iterator[list[list[object]]]:
    rows: list[list[object]] = [[*HEADS], ["---"] * len(HEADS)]
    yield rows
    text = "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text(text)
    print(f"\n{text}")


@pytest.fixture(autouse=True)
def reachable(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """Ports of loopback that may be connected to. A filter that is wrong fails here and sends no packet."""
    ports, real = set[int](), socket.socket.connect

    def connect(opened: socket.socket, address: tuple[str, int]) -> None:
        assert address[0] == "127.0.0.1", "a connection was tried"
        assert address[1] in ports, "a connection was tried"
        real(opened, address)

    def resolve(*_: object, **__: object) -> None:
        raise AssertionError("a name was looked up")

    monkeypatch.setattr(socket.socket, "connect", connect)
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return ports


def memory_peak() -> int:
    """Most resident memory since the last call, in MB (Linux; 0 elsewhere)."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    Path("/proc/self/clear_refs").write_text("5")
    return int(peak.split()[1]) // 1024


@contextmanager
def sent(attack: Attack, reachable: set[int]) -> Iterator[bytes]:
    """The request; of what is fetched, the server answers as long as the block runs."""
    if attack.kind not in FETCHED:
        yield attack.make()
        return
    assert attack.file
    with serving(ok(attack.file())) as server:
        reachable.add(server.port)
        yield json.dumps({"url": server.url}).encode()
        assert server.connections == 1


def check(attack: Attack, body: bytes, service: Service) -> tuple[float, float]:
    """Seconds of the processor and of the clock that the right answer took."""
    headers = {} if attack.content_type is None else {"content-type": attack.content_type}
    processor, clock = time.process_time(), time.perf_counter()
    answer = service.handle(Request(headers, body, None))
    processor, clock = time.process_time() - processor, time.perf_counter() - clock
    found = json.loads(answer.body)
    assert found.get("code", READ) == attack.code, (attack, found)
    assert answer.status == STATUS.get(attack.code, 200)
    assert found.get("message", "").isprintable(), attack
    assert len(answer.body) < 10_000, attack
    assert all(value.isprintable() for value in answer.headers.values()), attack
    assert processor < SECONDS, attack
    return processor, clock


@pytest.mark.parametrize("kind", KINDS)
def test_class(kind: str, encoder: OnnxEncoder, table: list[list[object]], reachable: set[int]) -> None:
    # Where files are fetched, the server of the test has a private address.
    service = Service(encoder, SourcePolicy(allow_private=kind in FETCHED))
    wanted = service.handle(Request({"content-type": JSON}, GOOD, None)).body
    memory_peak()
    before, processor, clock = memory_peak(), 0.0, 0.0
    chosen = [attack for attack in attacks() if attack.kind == kind]
    for attack in chosen:
        with sent(attack, reachable) as body:
            taken = check(attack, body, service)
        processor, clock = max(processor, taken[0]), max(clock, taken[1])
        assert service.handle(Request({"content-type": JSON}, GOOD, None)).body == wanted, attack
    peak = memory_peak() - before
    assert peak < (DEAR_MEGABYTES if kind == "dear" else MEGABYTES)
    answers = Counter(attack.code or "200" for attack in chosen)
    table.append([
        kind, len(chosen), ", ".join(f"{code} {count}" for code, count in sorted(answers.items())),
        f"{processor:.2f} s", f"{clock:.2f} s", f"{peak} MB", f"right, {len(chosen)} times",
    ])  # fmt: skip


def test_there_are_300_distinct_bad_requests() -> None:
    bad = [attack for attack in attacks() if attack.kind not in NOT_BAD]
    assert len({(hashlib.sha256(attack.make()).digest(), attack.content_type) for attack in bad}) >= 300
    assert len({(attack.kind, attack.name) for attack in bad}) == len(bad)
