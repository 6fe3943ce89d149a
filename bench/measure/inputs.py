"""The requests that are timed: one photograph, enlarged and grained to the sizes of real cameras' files."""

import base64
import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from bench.measure.paths import CACHE, PHOTOGRAPHS
from bench.measure.results import LARGE, MAIN, PAIR

PHOTOGRAPH = PHOTOGRAPHS / "paint_brushes.jpg"


@dataclass(frozen=True)
class Case:
    """One request: its name in tables, and the picture file it sends, once or twice."""

    name: str
    file: bytes
    pair: bool = False

    def body(self) -> str:
        """The request's JSON."""
        text = base64.b64encode(self.file).decode()
        return json.dumps({"img_1": text, "img_2": text} if self.pair else {"img": text})

    def event(self) -> dict[str, object]:
        """The request as API Gateway hands it to a Lambda function."""
        return {
            "headers": {"Content-Type": "application/json"},
            "body": self.body(),
            "isBase64Encoded": False,
            "requestContext": {"requestId": "bench"},
        }


def cases() -> list[Case]:
    """Every case, the main one first; files are made once and kept."""
    main = _kept("2048x1536.jpg", lambda: _jpeg(2048, 1536, 954_000))
    return [
        Case(MAIN, main),
        Case(PAIR, main, pair=True),
        Case("JPEG 512 x 403, 40 KB", PHOTOGRAPH.read_bytes()),
        Case(LARGE, _kept("4096x3072.jpg", lambda: _jpeg(4096, 3072, 1_800_000))),
        Case("PNG 1024 x 768, 1.3 MB", _kept("1024x768.png", lambda: _lossless(1024, 768, "PNG"))),
        Case("BMP 1024 x 768, 2.4 MB", _kept("1024x768.bmp", lambda: _lossless(1024, 768, "BMP"))),
    ]


def _kept(name: str, make: Callable[[], bytes]) -> bytes:
    path = CACHE / "inputs" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make())
    return path.read_bytes()


def _grained(width: int, height: int, grain: float) -> Image.Image:
    """The photograph in another size, with the noise of a sensor: without it, files are far too small."""
    with Image.open(PHOTOGRAPH) as source:
        large = ImageOps.fit(source, (width, height), Image.Resampling.BICUBIC)
    noise = np.random.default_rng(0).normal(0, grain, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(large) + noise, 0, 255).astype(np.uint8))


def _jpeg(width: int, height: int, size: int) -> bytes:
    low, high, file = 0.0, 24.0, b""
    for _ in range(10):
        grain = (low + high) / 2
        buffer = io.BytesIO()
        _grained(width, height, grain).save(buffer, "JPEG", quality=88)
        file = buffer.getvalue()
        low, high = (grain, high) if len(file) < size else (low, grain)
    return file


def _lossless(width: int, height: int, file_format: str) -> bytes:
    buffer = io.BytesIO()
    _grained(width, height, 3.0).save(buffer, file_format)
    return buffer.getvalue()
