"""What the soak sends: good requests with known answers, bad ones, and sources that stall or lie."""

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from socket import socket

from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.service import Request, Service
from image_similarity.inference.sources import SourcePolicy
from tests.security.attacks import JSON, Attack, attacks
from tests.soak.heavy import HEAVY_BYTES, heavy_items
from tests.soak.items import Item, Traffic
from tests.support.servers import redirect, serving
from tests.support.world import BUCKET, b64, picture, running_world
from tests.unit.inference.sources.test_url import CORPUS

MODEL = Path(__file__).parents[2] / "image_similarity" / "models" / "embedded"
NAMES = ("chelsea", "astronaut", "coffee", "rocket")
FORMATS = ("JPEG", "PNG", "BMP")
REFUSED_ANYWHERE = [url for kind, urls in CORPUS.items() if kind != "ports" for url in urls]
# Loopback may be fetched from here, and other ports, so that names would be looked up; and what heavy.py has.
OTHERS = {"address", "URL", "dear", "ballast", "bomb"}


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
        bad = [item for item in bad if len(item.body) < HEAVY_BYTES]
        bad = [item for item in bad if (item.content_type or "").isprintable()]  # what a client can send
        bad += [Item("bad", _body(url=f"{world.files_url}/missing"), codes=unavailable)] * 20
        bad += [
            Item("bad", _body(url=url), codes=frozenset({"SourceNotAllowed"})) for url in REFUSED_ANYWHERE
        ]
        bad += [Item("bad", _body(url=loop), codes=unavailable)] * 10
        bad += [Item("bad", _body(url=endless), codes=large)] * 3
        stalled = [Item("stalled", _body(url=url), codes=unavailable) for url in (drip, silent)]
        pair = _body(url_1=f"{world.files_url}/chelsea.jpg", url_2=drip)
        stalled += [Item("stalled", pair, codes=unavailable)]
        heavy = stack.enter_context(heavy_items(_answer))
        good = _good(world.files_url)
        yield Traffic({**heavy, "good": good, "bad": bad, "stalled": stalled}), world.environment


def _good(files_url: str) -> list[Item]:
    cats = [b64(picture("chelsea", kind)) for kind in FORMATS]
    bodies: list[tuple[dict[str, str], dict[str, str] | None]] = [
        ({"img": b64(picture(name, kind))}, None) for name in NAMES for kind in FORMATS
    ]
    pictures = [b64(picture(name)) for name in NAMES]
    bodies += [({"img_1": one, "img_2": other}, None) for one in pictures for other in pictures]
    jpeg = {"img": cats[0]}
    pair = {"img_1": cats[0], "img_2": b64(picture("astronaut"))}
    bodies += [({"url": f"{files_url}/chelsea.jpg"}, jpeg), ({"url": f"{files_url}/redirects-3"}, jpeg)] * 2
    bodies += [({"url": f"s3://{BUCKET}/photos/chelsea.jpg"}, jpeg)]
    bodies += [({"url_1": f"{files_url}/chelsea.jpg", "url_2": f"{files_url}/astronaut.jpg"}, pair)]
    bodies += [({"img_1": cats[0], "url_2": f"{files_url}/astronaut.jpg"}, pair)]
    return [
        Item("good", _body(**body), wanted=_answer(_body(**(same_as or body)))) for body, same_as in bodies
    ]


def _answer(body: bytes) -> dict[str, object]:
    """What this process answers, alone and at leisure."""
    answer = _service().handle(Request({"content-type": JSON}, body, None))
    assert answer.status == 200, answer
    found: dict[str, object] = json.loads(answer.body)
    return found


@cache
def _service() -> Service:
    return Service(OnnxEncoder(MODEL, threads=1), SourcePolicy(allow_private=True))


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
