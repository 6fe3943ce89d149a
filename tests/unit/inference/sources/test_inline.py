"""Images in base64: what is read, what is refused."""

import base64
import random

import pytest

from image_similarity.inference.errors import InvalidImage, PayloadTooLarge
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, read_all

FILE = random.Random(1).randbytes(1000)
TEXT = base64.b64encode(FILE).decode()
POLICY = SourcePolicy()


def read(text: str, policy: SourcePolicy = POLICY) -> bytes:
    return read_all([Source("img_1", text)], policy)[0]


def lines(width: int, end: str) -> str:
    return end.join(TEXT[start : start + width] for start in range(0, len(TEXT), width)) + end


GOOD = {
    "plain": TEXT,
    "lines of MIME": lines(76, "\r\n"),
    "lines of PEM": lines(64, "\n"),
    "lines of an old Mac": lines(64, "\r"),
    "data URI": "data:image/jpeg;base64," + TEXT,
    "data URI of any image type": "data:image/svg+xml;base64," + TEXT,
    "data URI with parameters": "data:image/x-ms-bmp;name=a.bmp;charset=utf-8;base64," + TEXT,
    "data URI in capitals": "DATA:IMAGE/PNG;BASE64," + TEXT,
    "data URI and lines": "data:image/png;base64,\n" + lines(76, "\n"),
}


@pytest.mark.parametrize("name", GOOD)
def test_accepted(name: str) -> None:
    assert read(GOOD[name]) == FILE


@pytest.mark.parametrize("size", range(1, 10))
def test_every_padding(size: int) -> None:
    assert read(base64.b64encode(FILE[:size]).decode()) == FILE[:size]


BAD = {
    "nothing": "",
    "line breaks alone": "\r\n\r\n",
    "a data URI of nothing": "data:image/png;base64,",
    "no padding": "QUI",
    "half the padding": "QQ=",
    "too much padding": "QQ===",
    "padding alone": "====",
    "padding within": "QQ==QUJD",
    "one character": "Q",
    "five characters": "QUJDQ",
    "URL alphabet": base64.urlsafe_b64encode(b"\xff\xfe\xfd" * 4).decode(),
    "spaces": "QUJD QUJD",
    "space first": " QUJD",
    "tab": "QUJD\tQUJD",
    "NUL": "QUJD\0QUJD",
    "quotes": '"QUJD"',
    "percent encoding": "QUJD%3D",
    "a URL": "https://example.com/cat.jpg",
    "a path": "/etc/passwd.",
    "hexadecimal with dashes": "de-ad-be-ef.",
    "letters that are not ASCII": "QUJÄ",
    "digits that are not ASCII": "QUJ\u0663",
    "half a surrogate pair": "QUJ\ud800",
    "an emoji": "\U0001f600" * 4,
    "a data URI that is not an image": "data:text/html;base64," + TEXT,
    "a data URI that is not base64": "data:image/png," + TEXT,
    "a data URI of two heads": "data:image/png;base64,data:image/png;base64," + TEXT,
    "a data URI with an endless head": "data:image/" + "x" * 10_000 + ";base64," + TEXT,
    "a vertical tab": "QUJD\x0bQUJD",
    "a line separator": "QUJD\u2028QUJD",
    "a byte order mark": "\ufeffQUJD",
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name: str) -> None:
    with pytest.raises(InvalidImage, match=r"^img_1: .*(base64|bytes)"):
        read(BAD[name])


def test_size_is_refused_before_decoding() -> None:
    policy = SourcePolicy(max_bytes=1000)
    assert read(TEXT, policy) == FILE
    with pytest.raises(PayloadTooLarge, match="img_1: the image has more than 1000 bytes"):
        read("!" * 1340, policy)  # 1005 bytes, if it were base64
    with pytest.raises(PayloadTooLarge):
        read(base64.b64encode(FILE + b"x").decode(), policy)
