"""The dearest bytes that can be found: python -m tests.fuzz.slowest --time SECONDS [--target NAME].

A search that keeps whatever takes more processor time for each byte than what it came from. It looks at what
runs before the gate of the service, where the interpreter is held: parsing a request, and decoding what is in
line. Inputs are a recipe (a start, a unit that is repeated, an end) of a request's full size, because it is
repetition that is dear. Prints the worst seconds for each megabyte and its recipe.
"""

import argparse
import json
import random
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from image_similarity.inference import request
from image_similarity.inference.errors import ApiError
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.request import Kind, Source
from image_similarity.inference.sources import SourcePolicy, http, inline, s3, url
from image_similarity.inference.sources.answer import MAX_HEAD_BYTES, Reader, read_head
from image_similarity.inference.sources.body import body_of
from image_similarity.inference.sources.budget import Budget
from image_similarity.inference.sources.collect import collect
from image_similarity.inference.sources.deadline import Deadline
from image_similarity.inference.telemetry import SECRETS

POLICY = SourcePolicy(buckets=frozenset({"b"}))
PIECES = [
    *(b"QUJD", b"Q", b"=", b"/", b"\n", b"\r\n", b"\\n", b"\\/", b"\\u0041", b"\\u00e9", b"\\ud83d\\ude00"),
    *("é".encode(), "\u017b".encode(), "\U0001f600".encode(), b"\xff", "\ufffd".encode(), b"\0", b" "),
    *(
        b'"',
        b",",
        b"{",
        b"[",
        b":",
        b"]",
        b"}",
        b'{"img":"',
        b'{"url":"',
        b'"}',
        b'"a":0,',
        b"1",
        b"e9",
        b".",
    ),
    *(
        b"data:",
        b"image/png",
        b";base64,",
        b";a=b",
        b"https://",
        b"s3://b/",
        b"a.",
        b"%41",
        b"?",
        b"&",
        b"xn--",
    ),
    *(b"HTTP/1.1 200 OK\r\n", b"Content-Encoding: gzip\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n"),
    *(
        b"1\r\nx\r\n",
        b"A: b\r\n",
        b" c\r\n",
        b"0\r\n",
        b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
        b"\0\0\0\xff\xff",
        b"-_",
    ),
]


@dataclass(frozen=True)
class Recipe:
    """A start, a unit as often as it fits, and an end."""

    start: bytes
    unit: bytes
    end: bytes

    def made(self, size: int) -> bytes:
        """So many bytes of it, or a few less."""
        return (
            self.start
            + self.unit * max(1, (size - len(self.start) - len(self.end)) // len(self.unit))
            + self.end
        )

    def varied(self, chance: random.Random) -> "Recipe":
        """Another one, not far from it."""
        part = chance.choice(["start", "unit", "unit", "end"])
        data = bytearray(getattr(self, part))
        at = chance.randint(0, len(data))
        if data and chance.random() < 0.4:
            del data[at : at + chance.randint(1, 4)]
        else:
            data[at:at] = chance.choice(PIECES) * chance.choice([1, 1, 1, 2, 19])
        return self if part == "unit" and not data else replace(self, **{part: bytes(data)})


def parsed(data: bytes) -> None:
    """A request's body, and what is judged and decoded of it before anything is fetched."""
    for source in request.parse(None, data).sources:
        if source.kind is Kind.WEB:
            url.parse(source.value, POLICY)
        elif source.kind is Kind.S3:
            s3.parse(source.value, POLICY)
        else:
            inline.read(source, POLICY)


def decoded(data: bytes) -> None:
    """A value in line."""
    inline.read(Source.by_img("img", data.decode("utf-8", "surrogateescape")), POLICY)


def answered(data: bytes) -> None:
    """A server's answer, with the budget that it has; the time of one fetch is bounded by it."""
    parts = [data[start : start + 65536] for start in range(0, len(data), 65536)]
    parts.reverse()
    reader = Reader(lambda: parts.pop() if parts else b"")
    budget = Budget(Deadline(60), MAX_HEAD_BYTES + 2 * POLICY.max_bytes)
    with suppress(*http.TROUBLES):  # an answer is what a server makes of it
        head = read_head(reader, budget.new_answer)
        collect(body_of(head, reader, budget, POLICY.max_bytes), POLICY.max_bytes)


def logged(data: bytes) -> None:
    """The text of an error, as a log line clears it."""
    SECRETS.sub("", data.decode("utf-8", "replace")[:1200])


TARGETS: dict[str, tuple[Callable[[bytes], None], Recipe]] = {
    "request": (parsed, Recipe(b'{"img":"', b"QUJD", b'"}')),
    "inline": (decoded, Recipe(b"", b"QUJD", b"")),
    "answer": (answered, Recipe(b"HTTP/1.1 200 OK\r\n\r\n", b"x", b"")),
    "log": (logged, Recipe(b"", b"a", b"")),
}


def seconds_for_a_megabyte(target: Callable[[bytes], None], data: bytes) -> float:
    """Processor time of this thread, the least of two runs."""
    best = float("inf")
    for _ in range(2):
        start = time.thread_time()
        with suppress(ApiError):  # refusing is to be cheap too
            target(data)
        best = min(best, time.thread_time() - start)
    return best / len(data) * 1e6


def search(
    name: str, seconds: float, seed: int = 1, size: int = MAX_BODY_BYTES, least: int = 1
) -> tuple[float, Recipe, int]:
    """The worst found in so many seconds: its seconds for a megabyte, its recipe, and how many were tried.

    Args:
        name: of the target.
        seconds: to search in.
        seed: of what is tried.
        size: of each input, in bytes.
        least: how many are tried although the seconds are over.
    """
    target, recipe = TARGETS[name]
    chance, tried = random.Random(seed), 1
    best = [(seconds_for_a_megabyte(target, recipe.made(size)), recipe)]
    end = time.monotonic() + seconds
    while tried < least or time.monotonic() < end:
        other = chance.choice(best)[1]
        for _ in range(chance.randint(1, 3)):
            other = other.varied(chance)
        best.append((seconds_for_a_megabyte(target, other.made(size)), other))
        best = sorted(best, key=lambda one: -one[0])[:8]
        tried += 1
    return *best[0], tried


def main() -> None:
    """Split the time over the targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=int, default=60, help="seconds for all targets together")
    parser.add_argument("--target", choices=TARGETS, help="this one alone")
    options = parser.parse_args()
    chosen = [options.target] if options.target else list(TARGETS)
    for name in chosen:
        worst, recipe, tried = search(name, options.time / len(chosen))
        shown = {part: ascii(getattr(recipe, part)[:80]) for part in ("start", "unit", "end")}
        print(f"{name}: {worst:.3f} s for a megabyte, of {tried}: {json.dumps(shown)}", flush=True)


if __name__ == "__main__":
    main()
