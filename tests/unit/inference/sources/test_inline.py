"""Images in base64: what is read, what is refused."""

import base64
import random
import time

import pytest

from image_similarity.inference.errors import InvalidImage, PayloadTooLarge
from image_similarity.inference.request import Source
from image_similarity.inference.sources import SourcePolicy, read_all

FILE = random.Random(1).randbytes(1000)
TEXT = base64.b64encode(FILE).decode()
POLICY = SourcePolicy()


def read(text: str, policy: SourcePolicy = POLICY) -> bytes:
    return read_all([Source.by_img("img_1", text, "url_1")], policy)[0]


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
    "data URI of another media type": "data:application/octet-stream;base64," + TEXT,
    "data URI of text": "data:text/html;charset=utf-8;base64," + TEXT,
    "data URI without a media type": "data:;base64," + TEXT,
    "data URI with parameters alone": "data:;charset=utf-8;base64," + TEXT,
    "data URI with a space": "data:image/png; base64," + TEXT,
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
    "a data URI without a comma": "data:image/png;base64" + TEXT,
    "a data URI of nothing at all": "data:",
    "a data URI without a type that is not base64": "data:,hello",
    "a data URI whose base64 is percent-encoded": "data:image/png;base64,QQ%3D%3D",
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


SAID = {
    "https://example.com/cat.jpg": '^img_1: a URL, not base64; send it as "url_1"',
    "HTTP://example.com": "a URL, not base64",
    "s3://bucket/key": "a URL, not base64",
    "file:///tmp/cat.jpg": "a URL, not base64",
    "/home/me/cat.jpg": "a path or the name of a file, not base64",
    "/home/me/cat": "a path or the name of a file",
    "/tmp": "a path or the name of a file",
    "./cat.png": "a path",
    "~/cat.png": "a path",
    "C:\\Users\\me\\cat.png": "a path",
    "cat.jpg": "the name of a file",
    "my cat (1).jpeg": "the name of a file",
    "Käse/Katze.png": "the name of a file",
    f"b'{TEXT}'": r"Python's bytes \(b'...'\), not base64; send base64.b64encode\(data\).decode\(\)",
    f'b"{TEXT}"': "Python's bytes",
    "data:image/png,%89PNG": "percent-encoded; send the file's bytes in base64",
    "data:image/png;base64": "without a comma",
    "/9j/!": "^img_1: not base64",
    "/" + "é" * 5000: "^img_1: not base64",  # longer than any path
    "hello world": "^img_1: not base64",
}


@pytest.mark.parametrize("text", SAID, ids=range(len(SAID)))
def test_what_it_is_instead_is_said(text: str) -> None:
    with pytest.raises(InvalidImage, match=SAID[text]):
        read(text)


def test_a_file_that_starts_like_a_path_is_read() -> None:
    jpeg = b"\xff\xd8\xff\xe0" + FILE
    assert read(base64.b64encode(jpeg).decode()) == jpeg
    assert read(base64.b64encode(b"\xff" * 6000).decode()) == b"\xff" * 6000


@pytest.mark.parametrize("head", ["data:image/png;base64,", "DATA:;BASE64,"])
def test_a_data_uri_in_a_url_field_is_read(head: str) -> None:
    assert read_all([Source.by_url("url_2", head + TEXT)], POLICY) == [FILE]
    with pytest.raises(InvalidImage, match=r"^url_2: a data: URI whose data is percent-encoded"):
        read_all([Source.by_url("url_2", "data:image/png,x")], POLICY)


@pytest.mark.parametrize(("length", "is_read"), [(1024, True), (1025, False)])
def test_the_head_of_a_data_uri_has_1024_characters_at_most(length: int, is_read: bool) -> None:
    start, end = "data:image/png;name=", ";base64,"
    text = start + "a" * (length - len(start) - len(end)) + end + TEXT
    if is_read:
        assert read(text) == FILE
        return
    with pytest.raises(InvalidImage, match="a data: URI without a comma in its first 1024 characters"):
        read(text)


def test_one_character_takes_no_slow_way() -> None:
    """It took 0.24 s of a held interpreter for each 5 MiB; now less than what ASCII takes."""
    text = "é\n" + "QUJD" * 1_300_000
    start = time.thread_time()
    with pytest.raises(InvalidImage, match="not base64"):
        read(text)
    assert time.thread_time() - start < 0.1


def test_size_is_refused_before_decoding() -> None:
    policy = SourcePolicy(max_bytes=1000)
    assert read(TEXT, policy) == FILE
    with pytest.raises(PayloadTooLarge, match="img_1: the image has more than 1000 bytes"):
        read("!" * 1340, policy)  # 1005 bytes, if it were base64
    with pytest.raises(PayloadTooLarge):
        read(base64.b64encode(FILE + b"x").decode(), policy)
