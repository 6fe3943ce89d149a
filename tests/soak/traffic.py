"""What the soak sends: good requests with known answers, bad ones, and sources that stall or lie."""

import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket

import numpy as np

from inference.encoder import OnnxEncoder
from inference.service import Request, Service
from inference.sources import SourcePolicy
from tests.contract.world import BUCKET, b64, picture, running_world
from tests.security.attacks import JSON, Attack, attacks
from tests.unit.sources.servers import redirect, serving
from tests.unit.sources.test_url import CORPUS

MODEL = Path(__file__).parents[2] / "models" / "embedded"
NAMES = ("chelsea", "astronaut", "coffee", "rocket")
KINDS = ("JPEG", "PNG", "BMP")
TOLERANCE = 1e-5
REFUSED_ANYWHERE = [url for kind, urls in CORPUS.items() if kind != "ports" for url in urls]
MAX_BAD_BYTES = 300_000
# Loopback may be fetched from here, and other ports, so that names would be looked up; and the dearest would
# be all that runs.
OTHERS = {"address", "URL", "dear", "ballast", "bomb"}
STALLS = 0.004  # share of requests to sources that stall: each takes its ten seconds


@dataclass(frozen=True)
class Item:
    """One request to send, and what it must give.

    Attributes:
        kind: good, bad or stalled.
        body: the request.
        content_type: its header.
        wanted: a good request's answer.
        codes: what may answer another.
    """

    kind: str
    body: bytes
    content_type: str | None = JSON
    wanted: dict[str, object] | None = None
    codes: frozenset[str] = frozenset()

    def right(self, status: int, answer: dict[str, object]) -> bool:
        """Whether the answer is one that this request may get."""
        if self.wanted is None:
            return status < 500 and answer.get("code", "") in self.codes
        return status == 200 and answer.keys() == self.wanted.keys() and _near(answer, self.wanted)


def _near(found: dict[str, object], wanted: dict[str, object]) -> bool:
    return all(np.allclose(found[name], wanted[name], rtol=0, atol=TOLERANCE) for name in wanted)


class Traffic:
    """A stream of items, mixed at random."""

    def __init__(self, good: list[Item], bad: list[Item], stalled: list[Item]) -> None:
        self._good, self._bad, self._stalled = good, bad, stalled

    def next(self, chance: random.Random) -> Item:
        """Two good ones for a bad one, and now and then one that stalls."""
        draw = chance.random()
        if draw < STALLS:
            return chance.choice(self._stalled)
        return chance.choice(self._good if draw < 0.67 else self._bad)


@contextmanager
def running_traffic() -> Iterator[tuple[Traffic, dict[str, str]]]:
    """The traffic, and the environment of a backend that may fetch from the servers behind it."""
    with ExitStack() as stack:
        world = stack.enter_context(running_world())
        drip = stack.enter_context(serving(_drip)).url
        silent = stack.enter_context(serving(lambda *_: time.sleep(12))).url
        loop = stack.enter_context(serving(redirect("/again"))).url
        endless = stack.enter_context(serving(_endless)).url
        unavailable, large = frozenset({"SourceUnavailable"}), frozenset({"PayloadTooLarge"})
        bad = [_bad(attack) for attack in attacks() if attack.kind not in OTHERS]
        bad = [
            item for item in bad if len(item.body) < MAX_BAD_BYTES and (item.content_type or "").isprintable()
        ]
        bad += [Item("bad", _body(url=f"{world.files_url}/missing"), codes=unavailable)] * 20
        bad += [
            Item("bad", _body(url=url), codes=frozenset({"SourceNotAllowed"})) for url in REFUSED_ANYWHERE
        ]
        bad += [Item("bad", _body(url=loop), codes=unavailable)] * 10
        bad += [Item("bad", _body(url=endless), codes=large)] * 3
        stalled = [Item("stalled", _body(url=url), codes=unavailable) for url in (drip, silent)]
        pair = _body(url_1=f"{world.files_url}/chelsea.jpg", url_2=drip)
        stalled += [Item("stalled", pair, codes=unavailable)]
        yield Traffic(_good(world.files_url), bad, stalled), world.environment


def _good(files_url: str) -> list[Item]:
    service = Service(OnnxEncoder(MODEL, threads=1), SourcePolicy())
    cats = [b64(picture("chelsea", kind)) for kind in KINDS]
    bodies = [({"img": b64(picture(name, kind))}, None) for name in NAMES for kind in KINDS]
    pictures = [b64(picture(name)) for name in NAMES]
    bodies += [({"img_1": one, "img_2": other}, None) for one in pictures for other in pictures]
    jpeg = {"img": cats[0]}
    pair = {"img_1": cats[0], "img_2": b64(picture("astronaut"))}
    bodies += [({"url": f"{files_url}/chelsea.jpg"}, jpeg), ({"url": f"{files_url}/redirects-3"}, jpeg)] * 2
    bodies += [({"url": f"s3://{BUCKET}/photos/chelsea.jpg"}, jpeg)]
    bodies += [({"url_1": f"{files_url}/chelsea.jpg", "url_2": f"{files_url}/astronaut.jpg"}, pair)]
    bodies += [({"img_1": cats[0], "url_2": f"{files_url}/astronaut.jpg"}, pair)]
    items = []
    for body, same_as in bodies:
        answer = service.handle(Request({"content-type": JSON}, _body(**(same_as or body)), None))
        assert answer.status == 200, answer
        items.append(Item("good", _body(**body), wanted=json.loads(answer.body)))
    return items


def _bad(attack: Attack) -> Item:
    return Item("bad", attack.make(), attack.content_type, codes=attack.codes)


def _body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _drip(opened: socket, head: bytes) -> None:
    opened.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n")
    while True:
        opened.sendall(b"x")
        time.sleep(0.2)


def _endless(opened: socket, head: bytes) -> None:
    opened.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        opened.sendall(b"x" * 65536)
