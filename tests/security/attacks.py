"""Bad requests by class: bodies that an API on the internet gets, each with the codes that may answer it."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image

from inference.image import jpeg
from tests.security.bodies import CONTENT_TYPES, REQUESTS
from tests.unit import test_addresses
from tests.unit.image import files, test_bombs, test_refusals
from tests.unit.sources import test_inline, test_url

JSON = "application/json"


@dataclass(frozen=True)
class Attack:
    """One bad request.

    Attributes:
        kind: its class.
        name: what it is.
        make: makes the body (large ones are not kept).
        codes: what may answer it; empty where the picture is good and only dear.
        content_type: its header, None for none.
    """

    kind: str
    name: str
    make: Callable[[], bytes]
    codes: frozenset[str]
    content_type: str | None = JSON


def _body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _file(kind: str, name: str, make: Callable[[], bytes], *codes: str) -> Attack:
    def body() -> bytes:
        return _body(img=base64.b64encode(make()).decode())

    return Attack(kind, name, body, frozenset(codes))


def _requests() -> Iterator[Attack]:
    refused = frozenset({"InvalidRequest", "InvalidImage"})
    for name, body in REQUESTS.items():
        yield Attack("request", name, lambda body=body: body, refused)  # type: ignore[misc]
    yield Attack("request", "a body over the limit", lambda: b" " * 5_242_881, frozenset({"PayloadTooLarge"}))
    for value in CONTENT_TYPES:
        yield Attack(
            "content type", repr(value)[:40], lambda: b"{}", frozenset({"UnsupportedMediaType"}), value
        )


def _sources() -> Iterator[Attack]:
    invalid, refused = frozenset({"InvalidImage"}), frozenset({"SourceNotAllowed"})
    for name, text in test_inline.BAD.items():
        yield Attack("base64", name, lambda text=text: _body(img=text), invalid)  # type: ignore[misc]
    for url in test_url.REFUSED:
        yield Attack("URL", repr(url)[:60], lambda url=url: _body(url=url), refused)  # type: ignore[misc]
    for text in test_addresses.REFUSED:
        host = f"[{text}]" if ":" in text else text
        yield Attack("address", host, lambda host=host: _body(url=f"http://{host}/"), refused)  # type: ignore[misc]
    for bucket in ("secrets", "", "..", "a/b", "arn:aws:s3:::a"):
        url = f"s3://{bucket}/key"
        yield Attack("address", url, lambda url=url: _body(url=url), refused)  # type: ignore[misc]


def _files() -> Iterator[Attack]:
    for name, data in test_refusals.NO_IMAGES.items():
        yield _file("not an image", name, lambda data=data: data, "InvalidImage")  # type: ignore[misc]
    for kind in ("JPEG", "PNG", "BMP", "MPO"):
        whole = test_refusals.files.saved(test_refusals.PHOTO.resize((160, 120)), kind)
        for percent in (1, 5, 10, 25, 50, 75, 90, 99):
            cut = whole[: len(whole) * percent // 100]
            yield _file("truncated", f"{kind}, {percent} %", lambda cut=cut: cut, "InvalidImage")  # type: ignore[misc]
    broken = {
        "PNG": test_refusals.broken_pngs(),
        "JPEG": test_refusals.broken_jpegs(),
        "BMP": test_refusals.broken_bmps(),
    }
    for kind, cases in broken.items():
        for name, data in cases.items():
            yield _file("broken", f"{kind}, {name}", lambda data=data: data, "InvalidImage")  # type: ignore[misc]
    for name, make in test_bombs.BOMBS.items():
        yield _file("bomb", name, make, "InvalidImage", "PayloadTooLarge")
    for name, make in test_bombs.HEAVY_BUT_GOOD.items():
        yield _file("ballast", name, make, "", "PayloadTooLarge")


def _dear() -> Iterator[Attack]:
    """Good pictures at the limits, in the layouts that take most memory and time."""
    side, grey = 4096, np.zeros((4096, 4096), np.uint8)

    def scans() -> bytes:
        picture = Image.new("RGB", (side, side), "red")
        data = files.saved(picture, "JPEG", progressive=True, subsampling=0)
        last = data[data.rindex(b"\xff\xda") : -2]
        return data[:-2] + last * (jpeg.MAX_SCANS - data.count(b"\xff\xda")) + b"\xff\xd9"

    def inks() -> bytes:
        return files.saved(Image.new("CMYK", (side, side)), "JPEG", progressive=True, subsampling=0)

    def alpha() -> bytes:
        return files.png(np.zeros((side, side, 4), np.uint16), files.RGBA, 16)

    def indexed() -> bytes:
        chunks = [files.chunk(b"PLTE", bytes(768)), files.chunk(b"tRNS", bytes(256))]
        return files.png(grey, files.PALETTE, before_pixels=chunks, interlaced=True)

    def runs() -> bytes:
        return files.bmp(
            (b"\xff\7" * 8 + b"\x08\7\0\0") * 2048, (2048, 2048), 8, compression=1, palette=bytes(1024)
        )

    for make in (scans, inks, alpha, indexed, runs):
        yield _file("dear", make.__name__, make, "")

    def pair() -> bytes:
        return _body(img_1=base64.b64encode(alpha()).decode(), img_2=base64.b64encode(scans()).decode())

    yield Attack("dear", "pair", pair, frozenset({""}))


@cache
def attacks() -> tuple[Attack, ...]:
    """All of them, in order of their classes."""
    return (*_requests(), *_sources(), *_files(), *_dear())
