"""Writes the seed corpus: python -m tests.fuzz.seeds. Small files of every kind that the code tells apart."""

import base64
import json
import struct
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from tests.fuzz import seed_answers, seed_pictures
from tests.support import files
from tests.unit.inference.image.test_refusals import broken_bmps, broken_jpegs, broken_pngs
from tests.unit.inference.sources.test_http import BAD_ANSWERS
from tests.unit.inference.sources.test_inline import BAD, GOOD
from tests.unit.inference.sources.test_url import GOOD as GOOD_URLS
from tests.unit.inference.sources.test_url import REFUSED as REFUSED_URLS

CORPUS = Path(__file__).parent / "corpus"
SAMPLES = np.random.default_rng(3).integers(0, 256, (7, 9, 4), dtype=np.uint8)
PICTURE = Image.fromarray(SAMPLES[..., :3])
MAX_SEED_BYTES = 4096


def images() -> list[bytes]:
    """JPEG of each kind, and BMP."""
    found = [files.saved(PICTURE, "JPEG", quality=30, **options) for options in ({}, {"progressive": True})]
    found += [files.saved(PICTURE.convert(mode), "JPEG", quality=30) for mode in ("L", "CMYK")]
    found += [
        files.saved(PICTURE, "MPO", save_all=True, append_images=[ImageOps.invert(PICTURE)], quality=30)
    ]
    block = files.segment(0xE1, b"Exif\0\0" + files.exif_block(6))
    found += [files.with_segments(found[0], block)]
    found += [files.saved(PICTURE.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB")]
    palette = bytes(range(64))
    found += [files.bmp(b"\4\1\0\3abc\0\0\0\0\2\1\1\5\2\0\1", (9, 7), 8, compression=1, palette=palette)]
    found += [files.bmp(b"\4\x12\0\3\x12\x30\0\0\0\1", (9, 7), 4, compression=2, palette=palette)]
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    found += [files.bmp(SAMPLES.tobytes(), (9, 7), 32, compression=3, masks=masks, header_bytes=108)]
    return found + list(broken_jpegs().values()) + list(broken_bmps().values())


def pngs() -> list[bytes]:
    """PNG of each colour type, depth and order."""
    found, palette = [], files.chunk(b"PLTE", bytes(range(48)))
    for interlaced in (False, True):
        for depth in (1, 2, 4, 8, 16):
            grey = SAMPLES[..., 0].astype(np.uint16) % 2 ** min(depth, 8)
            extra = [files.chunk(b"tRNS", b"\0\1")]
            found.append(files.png(grey, files.GREY, depth, interlaced=interlaced, before_pixels=extra))
        found.append(
            files.png(SAMPLES[..., 0] % 16, files.PALETTE, 4, interlaced=interlaced, before_pixels=[palette])
        )
        found += [
            files.png(SAMPLES[..., :2], files.GREY_ALPHA, depth, interlaced=interlaced) for depth in (8, 16)
        ]
        found += [files.png(SAMPLES, files.RGBA, depth, interlaced=interlaced) for depth in (8, 16)]
    orientation = files.chunk(b"eXIf", files.exif_block(8))
    found.append(files.png(SAMPLES[..., :3], files.RGB, before_pixels=[orientation]))
    return [*found, *broken_pngs().values(), seed_pictures.TWO_HEADERS]


def requests() -> list[bytes]:
    """Bodies of each shape, right and wrong."""
    text = base64.b64encode(files.png(SAMPLES, files.RGBA)).decode()
    bodies: list[object] = [{"img": text}, {"url": "https://example.com/"}, {"img_1": text, "img_2": text}]
    bodies += [
        {"url_1": "http://a.com/", "img_2": text},
        {"img": None},
        {"img": 1},
        {"img": [text]},
        {},
        [],
        1,
        None,
    ]
    bodies += [
        {"url": "s3://a/b"},
        {"img_1": text},
        {"img": text, "url": ""},
        {"x": 1},
        {"img": "\ud800"},
        "img",
    ]
    raw = [
        b'{"img":"","img":""}',
        b"{",
        b"",
        b"\xff",
        b'{"img":NaN}',
        b"[" * 500,
        b"9" * 5000,
        b"\xef\xbb\xbf{}",
    ]
    return [json.dumps(body).encode() for body in bodies] + raw


def in_line(picture: bytes) -> bytes:
    """A request with the picture in it."""
    return b"application/json\n" + json.dumps({"img": base64.b64encode(picture).decode()}).encode()


def seeds() -> dict[str, list[bytes]]:
    """Every target's seeds."""
    encode, pictures = "surrogatepass", seed_pictures.pictures()
    tiny = [seed for seed in pngs() if len(seed) < 400]
    return {
        "request": requests(),
        "base64": [text.encode("utf-8", encode) for text in (*GOOD.values(), *BAD.values())],
        "url": [text.encode("utf-8", encode) for text in (*GOOD_URLS, *REFUSED_URLS[::5])],
        "address": [
            bytes([10, 0, 0, 1]),
            bytes([127, 0, 0, 1]),
            b"\0" * 10 + b"\xff\xff\x7f\0\0\1",
            b"\x20\x02\x7f\0",
        ],
        "image": images() + tiny + pictures,
        "png": pngs(),
        "jpeg": [seed for seed in images() + pictures if seed.startswith(b"\xff\xd8")],
        "bmp": [seed for seed in images() + pictures if seed.startswith(b"BM")],
        "webp": seed_pictures.webps(),
        "exif": [files.exif_block(turn, order=order) for turn in range(1, 9) for order in "<>"],
        "http": [answer for answer, *_ in BAD_ANSWERS.values()]
        + [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"]
        + seed_answers.redirects(),
        "service": [b"application/json\n" + body for body in requests()]
        + [b"text/plain\n{}", b"\n{}"]
        + [in_line(picture) for picture in pictures + tiny]
        + seed_answers.fetching_requests(),
    }


def main() -> None:
    """One folder a target, one numbered file a seed."""
    for target, found in seeds().items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(seed for seed in found if len(seed) <= MAX_SEED_BYTES):
            (folder / f"{number:03}").write_bytes(seed)


if __name__ == "__main__":
    main()
