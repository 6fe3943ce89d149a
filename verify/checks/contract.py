"""The calls of the contract, on each backend: docs/calling.md."""

import json
import math
from urllib.parse import urlsplit

from verify.answers import Differs, Skipped, expect, read, refusal, shown
from verify.rows import Backend, Row
from verify.subject import JSON, Subject

BOTH: tuple[Backend, ...] = ("lambda", "sagemaker")
LENGTH = 512
TOLERANCE = 1e-5
IMAGES = 64


def vector(subject: Subject) -> str:
    """One image by base64: the vector, and what every answer of a backend carries."""
    answer = expect(subject.post({"img": subject.pictures.first}), 200)
    numbers = read(answer).get("result", [])
    length = math.sqrt(math.fsum(value * value for value in numbers))
    if len(numbers) != LENGTH or abs(length - 1) > 1e-3:
        raise Differs(f"{len(numbers)} numbers of length {length:.4f}")
    missing = [name for name in ("X-Request-Id", "X-Model") if not answer.headers.get(name.lower())]
    if missing or answer.headers.get("access-control-allow-origin") != "*":
        raise Differs(f"an answer without {', '.join(missing) or 'CORS'}")
    subject.kept["vector-sagemaker" if subject.on_sagemaker else "vector-lambda"] = numbers
    return f"{len(numbers)} numbers of length {length:.4f}, X-Model {answer.headers['x-model']}"


def timings(subject: Subject) -> str:
    """Server-Timing, which comes through SageMaker in a header of its own."""
    answer = expect(subject.post({"img": subject.pictures.first}), 200)
    timing = answer.headers.get("server-timing", "")
    if "encode;dur=" not in timing:
        raise Differs(f"Server-Timing: {timing or 'none'}")
    return f"Server-Timing: {timing}"


def pair(subject: Subject) -> str:
    """Two images: in the interval, symmetric, exactly 1 for the same one."""
    one, two = subject.pictures.first, subject.pictures.second
    there = subject.result({"img_1": one, "img_2": two}).get("similarity")
    back = subject.result({"img_1": two, "img_2": one}).get("similarity")
    twice = subject.result({"img_1": one, "img_2": one}).get("similarity")
    if not isinstance(there, float) or not 0 <= there < 1 or there != back or twice != 1.0:
        raise Differs(f"{there} there, {back} back, {twice} with itself")
    return f"{there}, with itself {twice}"


def batch(subject: Subject) -> str:
    """As many images as a request may have, one of them no picture: each has its own result, in its place."""
    broken = 1
    images = [{"img": subject.pictures.first}] * IMAGES
    images[broken] = {"img": "bm8gcGljdHVyZQ=="}
    answer = expect(subject.post({"images": images}), 200)
    results = read(answer).get("results", [])
    if len(results) != IMAGES:
        raise Differs(f"{len(results)} results of {IMAGES} images")
    error = results[broken].get("error", {})
    if error.get("code") != "InvalidImage" or not error.get("message", "").startswith(
        f"images[{broken}].img: "
    ):
        raise Differs(f"for what is no picture {shown(json.dumps(results[broken]).encode())}")
    alone = subject.result({"img": subject.pictures.first})["result"]
    for place, result in enumerate(results):
        if place != broken and not _close(result.get("result", []), alone):
            raise Differs(f"the result in place {place} is not the image's vector alone")
    return f"{IMAGES - 1} vectors and {error['code']}, {len(answer.body)} bytes"


def _close(one: list[float], other: list[float]) -> bool:
    if len(one) != len(other):
        return False
    return all(abs(a - b) <= TOLERANCE for a, b in zip(one, other, strict=True))


def by_url(subject: Subject) -> str:
    """An image that the backend fetches from the web."""
    url, hosts = subject.pictures.url, subject.parameters["UrlHosts"]
    if hosts and urlsplit(url).hostname not in hosts.split(","):
        raise Skipped(f"UrlHosts is {hosts}: name a picture there with PICTURE=URL")
    answer = expect(subject.post({"url_1": url, "url_2": url}), 200)
    similarity = read(answer).get("similarity")
    if similarity != 1.0:
        raise Differs(f"similarity {similarity} of a URL with itself")
    return f"fetched and compared; {answer.headers.get('server-timing', 'no timing')}"


def alias(subject: Subject) -> str:
    """The deprecated path."""
    answer = subject.call("POST", "/text_similarity", {"img": subject.pictures.first})
    numbers = read(expect(answer, 200)).get("result", [])
    if len(numbers) != LENGTH:
        raise Differs(f"{len(numbers)} numbers")
    return "200, the same vector's length"


def no_content_type(subject: Subject) -> str:
    """No Content-Type, and an empty one, count as JSON."""
    for headers in ({}, {"Content-Type": ""}):
        refusal(subject.post({}, headers), 400, "InvalidRequest")
    answer = expect(subject.post({"img": subject.pictures.first}, {}), 200)
    if "result" not in read(answer):
        raise Differs(f"200 without a vector: {shown(answer.body)}")
    return "200 without one; 400 InvalidRequest for {} without one and with an empty one"


def compressed(subject: Subject) -> str:
    """A large answer is compressed for those who ask: a snapshot of the API that lost it would not do it."""
    answer = subject.post({"img": subject.pictures.first}, {**JSON, "Accept-Encoding": "gzip"})
    expect(answer, 200)
    encoding = answer.headers.get("content-encoding", "none")
    if encoding != "gzip":
        raise Differs(f"Content-Encoding: {encoding}")
    return f"gzip, of {len(answer.body)} bytes"


ROWS = (
    Row(
        "vector",
        "one image by base64",
        "512 numbers of length 1, X-Request-Id, X-Model, CORS",
        vector,
        BOTH,
        quick=True,
    ),
    Row("timings", "the steps of a request", "`Server-Timing` with `encode`", timings, BOTH, quick=True),
    Row(
        "pair",
        "two images by base64",
        "a number in [0, 1), the same both ways, 1.0 of one image with itself",
        pair,
        BOTH,
        quick=True,
    ),
    Row(
        "batch",
        "64 images in a request, one of them not a picture",
        "63 times the image's own vector, and `InvalidImage` for the other",
        batch,
        BOTH,
        quick=True,
    ),
    Row("url", "an image by URL", "fetched; 1.0 of one URL with itself", by_url, BOTH, quick=True),
    Row("alias", "`/text_similarity`", "answers as `/image-similarity`", alias, BOTH, quick=True),
    Row(
        "no-content-type",
        "a request without a `Content-Type`, and with an empty one",
        "counts as JSON",
        no_content_type,
        BOTH,
        quick=True,
        why="whether API Gateway maps a missing and an empty header alike is not documented",
    ),
    Row(
        "compressed",
        "a vector for `Accept-Encoding: gzip`",
        "compressed",
        compressed,
        BOTH,
        quick=True,
        why="whether an update of the API's body keeps its compression is not documented",
    ),
)
