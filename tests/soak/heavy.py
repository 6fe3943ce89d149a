"""Requests that cost much: large pictures, the dearest that are accepted, bombs, ballast, long bodies."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from socket import socket

from PIL import Image
from skimage import data

from image_similarity.inference.json_body import MAX_BODY_BYTES
from tests.security.attacks import Attack, attacks
from tests.soak.items import Item
from tests.support.servers import ok, serving

HEAVY_BYTES = 300_000  # from here on, a bad body is not one of many
EVENT_BYTES = 6_200_000  # Lambda's limit of 6 MiB, less what the gateway adds
SOURCES = frozenset({"address", "URL"})  # refused where private addresses are; here loopback is fetched from
LARGE: list[tuple[str, str, tuple[int, int], dict[str, object]]] = [
    ("astronaut", "JPEG", (4096, 4096), {}),
    ("chelsea", "JPEG", (4096, 2730), {"progressive": True, "quality": 90}),
    ("coffee", "PNG", (3000, 2000), {"compress_level": 1}),
    ("rocket", "PNG", (4096, 2732), {"compress_level": 1}),
    ("coffee", "BMP", (2800, 2300), {}),
]
Answer = Callable[[bytes], dict[str, object]]


@contextmanager
def heavy_items(answer: Answer) -> Iterator[dict[str, list[Item]]]:
    """Items by kind, as long as the server runs that has the files which are too large for a body.

    Args:
        answer: what a good request must give.
    """
    files: dict[str, bytes] = {}

    def serve(opened: socket, head: bytes) -> None:
        opened.sendall(ok(files[head.split(b" ", 2)[1].decode()]))

    with serving(serve) as server:

        def body(file: bytes) -> bytes:
            """The file in the request, or its address if it does not fit."""
            in_line = json.dumps({"img": base64.b64encode(file).decode()}).encode()
            if len(in_line) <= MAX_BODY_BYTES:
                return in_line
            name = f"/{len(files)}"
            files[name] = file
            return json.dumps({"url": server.url + name}).encode()

        found = {"large": [_good("large", body(file), answer) for file in _large_pictures()]}
        for kind in ("dear", "ballast"):
            bodies = [_fitting(attack, body) for attack in attacks() if attack.kind == kind]
            found[kind] = [_good(kind, each, answer) for each in bodies]
        found["bomb"] = [
            Item("bomb", _fitting(attack, body), codes=attack.codes)
            for attack in attacks()
            if attack.kind == "bomb"
        ]
        yield {**found, "heavy": list(_heavy_bodies())}


def _large_pictures() -> Iterator[bytes]:
    for name, kind, size, options in LARGE:
        stream = io.BytesIO()
        picture = Image.fromarray(getattr(data, name)()).convert("RGB")
        picture.resize(size, Image.Resampling.BICUBIC).save(stream, kind, **options)
        yield stream.getvalue()


def _fitting(attack: Attack, body: Callable[[bytes], bytes]) -> bytes:
    made = attack.make()
    return made if len(made) <= MAX_BODY_BYTES else body(base64.b64decode(json.loads(made)["img"]))


def _good(kind: str, body: bytes, answer: Answer) -> Item:
    return Item(kind, body, wanted=answer(body))


def _heavy_bodies() -> Iterator[Item]:
    for attack in attacks():
        if attack.kind in SOURCES | {"dear", "ballast", "bomb"}:
            continue
        body = attack.make()
        if len(body) >= HEAVY_BYTES:
            # Lambda is handed the body as a string of JSON, which is longer where much of it is escaped.
            event = len(json.dumps(body.decode("utf-8", "replace")))
            codes = attack.codes | ({"PayloadTooLarge"} if event > EVENT_BYTES else set())
            yield Item("heavy", body, attack.content_type, codes=codes)
