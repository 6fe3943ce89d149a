"""One table of requests and the answers that the contract promises; every adapter must give them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tests.support.world import World, b64, picture

JSON = {"Content-Type": "application/json"}
LIMIT = 5 * 1024**2
Body = Callable[[World], bytes]


@dataclass(frozen=True)
class Case:
    name: str
    body: Body
    headers: Mapping[str, str] = field(default_factory=lambda: JSON)
    status: int = 200
    code: str = ""
    message: str = ""
    """A pattern that the message of an error must have in it: the field and what to do."""


Text = str | Callable[[World], str]


def batch(*images: Mapping[str, Text]) -> Body:
    """The JSON body of a batch."""
    return lambda world: json.dumps(
        {"images": [{name: _text(value, world) for name, value in image.items()} for image in images]}
    ).encode()


def _text(value: Text, world: World) -> str:
    return value(world) if callable(value) else value


def send(**fields: Text) -> Body:
    """A JSON body; a field may depend on where the servers are."""
    return lambda world: json.dumps({name: _text(value, world) for name, value in fields.items()}).encode()


def raw(content: bytes) -> Body:
    return lambda _: content


def file(name: str) -> Callable[[World], str]:
    return lambda world: f"{world.files_url}/{name}"


CAT = b64(picture())
ASTRONAUT = b64(picture("astronaut"))
LINES = "\n".join(CAT[start : start + 76] for start in range(0, len(CAT), 76))
S3_CAT = "s3://listed-bucket/photos/chelsea.jpg"
TOO_WIDE = b64(picture("chelsea", "PNG", (4097, 8)))

VECTORS = [
    Case("img", send(img=CAT)),
    Case("img with charset", send(img=CAT), {"Content-Type": "application/json; charset=utf-8"}),
    Case("header name in lower case", send(img=CAT), {"content-type": "Application/JSON"}),
    Case("img with line breaks", send(img=LINES)),
    Case("img as data URI", send(img=f"data:image/jpeg;base64,{CAT}")),
    Case("img as data URI of any type", send(img=f"data:application/octet-stream;base64,{CAT}")),
    Case("img as data URI of no type", send(img=f"data:;base64,{CAT}")),
    Case("data URI as url", send(url=f"data:image/jpeg;base64,{CAT}")),
    Case("a byte order mark", raw(b"\xef\xbb\xbf" + json.dumps({"img": CAT}).encode())),
    Case("url", send(url=file("chelsea.jpg"))),
    Case("url with a name that lies", send(url=file("chelsea.png"))),
    Case("url with a query", send(url=file("chelsea?size=large"))),
    Case("url after three redirects", send(url=file("redirects-3"))),
    Case("s3", send(url=S3_CAT)),
]
"""Ways to send the same picture: each must give the same vector."""

FORMATS = [Case(name, send(img=b64(picture("chelsea", name)))) for name in ("PNG", "BMP")]

PAIRS = [
    Case("two img", send(img_1=CAT, img_2=ASTRONAUT)),
    Case("url and img", send(url_1=file("chelsea.jpg"), img_2=ASTRONAUT)),
    Case("img and url", send(img_1=CAT, url_2=file("astronaut.jpg"))),
    Case("two url", send(url_1=file("chelsea.jpg"), url_2=file("astronaut.jpg"))),
    Case("s3 and url", send(url_1=S3_CAT, url_2=file("astronaut.jpg"))),
    Case("swapped", send(img_1=ASTRONAUT, img_2=CAT)),
]
"""Six ways to compare the same two pictures: each must give the same similarity."""

SAME_TWICE = [
    Case("same img twice", send(img_1=CAT, img_2=CAT)),
    Case("same picture by img and s3", send(img_1=CAT, url_2=S3_CAT)),
]


WAYS = ({"img": CAT}, {"url": file("chelsea.jpg")}, {"url": S3_CAT}, {"url": f"data:;base64,{CAT}"})
BATCHES = [
    (Case("batch of one", batch({"img": CAT})), [""]),
    (Case("batch of all ways", batch(*WAYS)), [""] * 4),
    (Case("batch of 64", batch(*[{"img": CAT}] * 64)), [""] * 64),
    (Case("batch of 16 URLs of one server", batch(*[{"url": file("chelsea.jpg")}] * 16)), [""] * 16),
    (
        Case(
            "bad ones among good ones",
            batch(
                *({"img": CAT}, {"img": "!"}, {"img": b64(b"hello")}, {"img": TOO_WIDE}),
                *({"url": "ftp://x/"}, {"url": "s3://other-bucket/a"}, {"url": file("absent.jpg")}),
                *({"url": file("large.bin")}, {"url": "http://[::1"}, {"img": CAT}),
            ),
        ),
        [
            *("", "InvalidImage", "InvalidImage", "ImageTooLarge", "SourceNotAllowed", "SourceNotAllowed"),
            *("SourceUnavailable", "PayloadTooLarge", "SourceNotAllowed", ""),
        ],
    ),
    (Case("only bad ones", batch({"img": ""}, {"url": ""})), ["InvalidImage", "SourceNotAllowed"]),
]
"""Batches, each with the codes of its images; empty: the vector of the cat."""


def refused(
    name: str, body: Body, status: int, code: str, message: str, headers: Mapping[str, str] = JSON
) -> Case:
    return Case(name, body, headers, status, code, message)


ERRORS = [
    refused(
        "text", send(img=CAT), 415, "UnsupportedMediaType", "application/json", {"Content-Type": "text/plain"}
    ),
    refused(
        "form",
        raw(b"img=x"),
        415,
        "UnsupportedMediaType",
        "json",
        {"Content-Type": "application/x-www-form-urlencoded"},
    ),
    refused(
        "large body", raw(b" " * (LIMIT + 1)), 413, "PayloadTooLarge", "5242881 bytes; the limit is 5242880"
    ),
    refused("large file", send(url=file("large.bin")), 413, "PayloadTooLarge", "url.*20971520"),
    refused(
        "large object",
        send(url_1=S3_CAT, url_2="s3://listed-bucket/large.bin"),
        413,
        "PayloadTooLarge",
        "url_2.*20971520",
    ),
    refused("empty body", raw(b""), 400, "InvalidRequest", "not JSON"),
    refused("not JSON", raw(b"{'img': 1}"), 400, "InvalidRequest", "not JSON.*line 1"),
    refused("not UTF-8", raw(b'{"img": "\xff"}'), 400, "InvalidRequest", "UTF-8"),
    refused("array", raw(b"[]"), 400, "InvalidRequest", "an array"),
    refused("no field", raw(b"{}"), 400, "InvalidRequest", 'no field.*"url" and "img"'),
    refused("null", raw(b'{"url": null}'), 400, "InvalidRequest", '"url" must be a string, not null'),
    refused("number", raw(b'{"img_1": 1, "img_2": ""}'), 400, "InvalidRequest", '"img_1" must be a string'),
    refused(
        "duplicate key",
        raw(b'{"url": "a", "url": "b"}'),
        400,
        "InvalidRequest",
        '"url" stands more than once',
    ),
    refused(
        "unknown field", send(img=CAT, threshold="1"), 400, "InvalidRequest", 'Unknown field "threshold"'
    ),
    refused("both of a slot", send(url="x", img=CAT), 400, "InvalidRequest", 'either "url" or "img"'),
    refused("half a pair", send(img_1=CAT), 400, "InvalidRequest", 'send "url_2" or "img_2" too'),
    refused(
        "single and pair",
        send(img=CAT, img_1=CAT, img_2=CAT),
        400,
        "InvalidRequest",
        '"img" is for one image',
    ),
    refused("empty batch", batch(), 400, "InvalidRequest", '"images" has 0 images; send 1 to 64'),
    refused("65 images", batch(*[{"img": "A"}] * 65), 400, "InvalidRequest", "65 images; send 1 to 64"),
    refused(
        "17 URLs", batch(*[{"url": "http://127.0.0.1:9/"}] * 17), 400, "InvalidRequest", "17 images to fetch"
    ),
    refused(
        "unknown field in a batch",
        batch({"img": CAT}, {"img": CAT, "size": "1"}),
        400,
        "InvalidRequest",
        r'Unknown field "size" in "images\[1\]"',
    ),
    refused(
        "batch and single", send(images="x", img=CAT), 400, "InvalidRequest", '"images" does not go with'
    ),
    refused("no array", send(images=CAT), 400, "InvalidRequest", '"images" must be an array'),
    refused("not base64", send(img="!!!!"), 400, "InvalidImage", "img.*base64"),
    refused("url-safe base64", send(img_1=CAT, img_2="_-_-"), 400, "InvalidImage", "img_2.*base64"),
    refused(
        "a URL as img", send(img_1=CAT, img_2="https://a.com/b"), 400, "InvalidImage", 'img_2: a URL.*"url_2"'
    ),
    refused("a path as img", send(img="/home/me/cat.jpg"), 400, "InvalidImage", "img: a path"),
    refused(
        "Python's bytes as img", send(img=f"b'{CAT}'"), 400, "InvalidImage", "img: the text of Python's bytes"
    ),
    refused(
        "a data URI that is no base64", send(url="data:,x"), 400, "InvalidImage", "url: a data: URI.*base64"
    ),
    refused("unpadded base64", send(img=b64(b"abcd").rstrip("=")), 400, "InvalidImage", "img.*base64"),
    refused("empty img", send(img=""), 400, "InvalidImage", "img"),
    refused("not an image", send(img=b64(b"hello")), 400, "InvalidImage", "img.*JPEG, PNG"),
    refused("gif", send(img=b64(picture("chelsea", "GIF"))), 400, "InvalidImage", "img.*JPEG, PNG"),
    refused("truncated", send(img_1=CAT, img_2=b64(picture()[:-500])), 400, "InvalidImage", "img_2"),
    refused("web page", send(url=file("page.html")), 400, "InvalidImage", "url.*JPEG, PNG"),
    refused("too wide", send(img=TOO_WIDE), 400, "ImageTooLarge", "img.*4097.*4096"),
    refused("ftp", send(url="ftp://example.com/a.jpg"), 400, "SourceNotAllowed", "url.*http"),
    refused("file", send(url="file:///proc/self/environ"), 400, "SourceNotAllowed", "url.*http"),
    refused("no scheme", send(url_1=S3_CAT, url_2="photo.jpg"), 400, "SourceNotAllowed", "url_2.*http"),
    refused("empty url", send(url=""), 400, "SourceNotAllowed", "url.*http"),
    refused(
        "credentials",
        send(url="http://user:secret@127.0.0.1/a.jpg"),
        400,
        "SourceNotAllowed",
        "url.*(credential|user)",
    ),
    refused(
        "other bucket",
        send(url="s3://other-bucket/photos/chelsea.jpg"),
        400,
        "SourceNotAllowed",
        "url.*bucket",
    ),
    refused("not found", send(url=file("absent.jpg")), 400, "SourceUnavailable", "url.*404"),
    refused("server error", send(url=file("broken")), 400, "SourceUnavailable", "url.*500"),
    refused("nobody listens", send(url="http://127.0.0.1:9/a.jpg"), 400, "SourceUnavailable", "url"),
    refused("four redirects", send(url=file("redirects-4")), 400, "SourceUnavailable", "url.*redirect"),
    refused("absent object", send(url="s3://listed-bucket/absent.jpg"), 400, "SourceUnavailable", "url"),
    refused(
        "source before decoding",
        send(img_1=b64(b"hello"), url_2="ftp://x/"),
        400,
        "SourceNotAllowed",
        "url_2",
    ),
    refused("first slot wins", send(img_1=b64(b"hello"), img_2=b64(b"hello")), 400, "InvalidImage", "img_1"),
]

CASES = [*VECTORS, *FORMATS, *PAIRS, *SAME_TWICE, *ERRORS]
