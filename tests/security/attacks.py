"""Bad requests by class: bodies that an API on the internet gets, each with the code that must answer it."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from PIL import Image

from image_similarity.inference.image import jpeg
from tests.security.bodies import CONTENT_TYPES, LARGE, LARGE_TEXTS, REQUESTS
from tests.support import files
from tests.support.jpegs import OTHER_JPEGS, PROGRESSIVE, SEQUENTIAL, arithmetic
from tests.unit.inference import test_addresses
from tests.unit.inference.image import test_bombs, test_jpeg_segments, test_refusals
from tests.unit.inference.sources import test_inline, test_url

JSON = "application/json"
READ = ""
"""Instead of a code: the picture is a good one, and only dear."""


@dataclass(frozen=True)
class Attack:
    """One bad request.

    Attributes:
        kind: its class.
        name: what it is.
        make: makes the body (large ones are not kept).
        code: what must answer it, READ for a picture that is good.
        content_type: its header, None for none.
        file: makes the image alone, where the body holds nothing else.
    """

    kind: str
    name: str
    make: Callable[[], bytes]
    code: str
    content_type: str | None = JSON
    file: Callable[[], bytes] | None = None

    @property
    def codes(self) -> frozenset[str]:
        """The code as a set."""
        return frozenset({self.code})


def _body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def _image_body(make: Callable[[], bytes]) -> bytes:
    return _body(img=base64.b64encode(make()).decode())


def _file(kind: str, name: str, make: Callable[[], bytes], code: str = "InvalidImage") -> Attack:
    return Attack(kind, name, partial(_image_body, make), code, file=make)


def _requests() -> Iterator[Attack]:
    for name, body in REQUESTS.items():
        yield Attack("request", name, partial(bytes, body), "InvalidRequest")
    for name, make in LARGE.items():
        yield Attack("large request", name, make, "InvalidRequest")
    yield Attack(
        "large request", "a byte over the limit", partial(bytes.ljust, b"{}", 5_242_881), "PayloadTooLarge"
    )
    for value in CONTENT_TYPES:
        yield Attack("content type", repr(value)[:40], partial(bytes, b"{}"), "UnsupportedMediaType", value)


def _sources() -> Iterator[Attack]:
    for name, text in test_inline.BAD.items():
        yield Attack("base64", name, partial(_body, img=text), "InvalidImage")
    for name, make in LARGE_TEXTS.items():
        yield Attack("large base64", name, make, "InvalidImage")
    for url in test_url.DISTINCT:
        code = "InvalidImage" if url.lower().startswith("data:") else "SourceNotAllowed"  # read, not fetched
        yield Attack("URL", repr(url)[:60], partial(_body, url=url), code)
    hosts = [f"[{text}]" if ":" in text else text for text in test_addresses.REFUSED]
    for url in (*(f"http://{host}/" for host in hosts), *(f"s3://{bucket}/key" for bucket in BUCKETS)):
        yield Attack("address", url, partial(_body, url=url), "SourceNotAllowed")


BUCKETS = ("secrets", "", "..", "a/b", "arn:aws:s3:::a")


def _files() -> Iterator[Attack]:
    for kind in ("JPEG", "PNG", "BMP", "MPO"):
        whole = files.saved(test_refusals.PHOTO.resize((160, 120)), kind)
        for percent in (1, 5, 10, 25, 50, 75, 90, 99):
            yield _file(
                "truncated", f"{kind}, {percent} %", partial(bytes, whole[: len(whole) * percent // 100])
            )
    broken = {
        "PNG": test_refusals.broken_pngs(),
        "JPEG": test_refusals.broken_jpegs(),
        "BMP": test_refusals.broken_bmps(),
    }
    for kind, cases in broken.items():
        for name, data in cases.items():
            yield _file("broken", f"{kind}, {name}", partial(bytes, data))
    for name, make in OTHER_JPEGS.items():
        yield _file("other JPEG", name, make)
    for name, data in test_jpeg_segments.COUNTED.items():
        yield _file("segments", name, partial(bytes, data))
    yield from _hidden()
    for name, make in test_bombs.BOMBS.items():
        yield _file("bomb", name, make)
    for name, make in test_bombs.HEAVY_BUT_GOOD.items():
        yield _file("ballast", name, make, READ)


def _others() -> Iterator[Attack]:
    for name, others in test_refusals.NO_IMAGES.items():
        for number, data in enumerate(others):
            yield _file("not an image", f"{name}, {number}", partial(bytes, data))


def _hidden() -> Iterator[Attack]:
    """One file in another: what a segment holds, or a length that libjpeg takes otherwise."""
    for frame in (SEQUENTIAL, PROGRESSIVE):
        body = arithmetic(frame)[2:-2]
        for marker in (0xC4, 0xDB, 0xE0, 0xE1, 0xFE):
            for length in (0, 1):
                make = partial(test_jpeg_segments.hidden, body, marker, length)
                yield _file("hidden", f"{frame:02X} in {marker:02X} of length {length}", make)
        for marker in (0xF0, 0xF7, 0xFD):
            make = partial(test_jpeg_segments.hidden, body, marker, len(body) + 2)
            yield _file("hidden", f"{frame:02X} in {marker:02X}", make)


def _dear() -> Iterator[Attack]:
    """Good pictures at the limits, in the layouts that take most memory and time."""
    side, grey = 4096, np.zeros((4096, 4096), np.uint8)

    def scans() -> bytes:
        picture = Image.new("RGB", (side, side), "red")
        data = files.saved(picture, "JPEG", progressive=True, subsampling=0)
        last = data[data.rindex(b"\xff\xda") : -2]
        # The file has gone over each of the three components four times already; this scan is of one.
        return data[:-2] + last * 3 * (jpeg.MAX_PASSES - 4) + b"\xff\xd9"

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

    def without_end() -> bytes:
        return scans()[:-2]

    def webp() -> bytes:
        rng = np.random.default_rng(3)
        noise = Image.fromarray(rng.integers(0, 256, (side // 16, side // 16, 4), np.uint8))
        return files.saved(noise.resize((side, side)), "WEBP", quality=40, method=0, alpha_quality=30)

    for make in (scans, without_end, inks, alpha, indexed, runs, webp):
        yield _file("dear", make.__name__, make, READ)

    def pair() -> bytes:
        return _body(img_1=base64.b64encode(alpha()).decode(), img_2=base64.b64encode(scans()).decode())

    yield Attack("dear", "pair", pair, READ)


@cache
def attacks() -> tuple[Attack, ...]:
    """All of them, in order of their classes."""
    return (*_requests(), *_sources(), *_others(), *_files(), *_dear())
