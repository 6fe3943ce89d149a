"""The bytes between the service and a decoder. The service trusts nothing that a decoder writes.

A request is a head of two lengths, a JSON text (the preprocessing) and the file. An answer is a head of
one letter and a length, and a content. Nothing is pickled: the worst that a compromised decoder can send is
a wrong picture, or a wrong sentence, about the file that it was given.
"""

import json
import struct
from dataclasses import asdict
from functools import lru_cache
from typing import NamedTuple

from image_similarity.inference.errors import ApiError, ImageTooLarge, InvalidImage
from image_similarity.inference.manifest import Preprocessing

REQUEST_HEAD = struct.Struct("<IQ")
ANSWER_HEAD = struct.Struct("<c3xI")
PIXELS, REFUSAL, OUT_OF_MEMORY, DEFECT = b"P", b"R", b"M", b"D"
READY = b"H"
"""A decoder's first message: the protections that the system did not grant."""
MAX_TEXT_BYTES = 4096
REFUSALS: dict[str, type[ApiError]] = {error.code: error for error in (InvalidImage, ImageTooLarge)}


class Answer(NamedTuple):
    """An answer whose head is valid; its content is not to be trusted yet."""

    kind: bytes
    content: memoryview


class GarbageError(Exception):
    """A decoder wrote something that our code never writes; the message says what, without the bytes."""


def without(parts: list[memoryview], written: int) -> list[memoryview]:
    """The parts that are left when so many bytes have been written."""
    while parts and written >= len(parts[0]):
        written -= len(parts[0])
        parts = parts[1:]
    return [parts[0][written:], *parts[1:]] if written else parts


@lru_cache(maxsize=16)
def request_text(preprocessing: Preprocessing) -> bytes:
    """A request's JSON text."""
    return json.dumps(asdict(preprocessing)).encode()


@lru_cache(maxsize=16)
def read_request_text(text: bytes) -> Preprocessing:
    """The preprocessing in a request's JSON text, which is trusted: the service wrote it."""
    pre = json.loads(text)
    pre["mean"], pre["std"] = tuple(pre["mean"]), tuple(pre["std"])
    return Preprocessing(**pre)


def refusal_text(error: ApiError) -> bytes:
    """A refusal's content."""
    return json.dumps({"code": error.code, "message": error.message}).encode()[:MAX_TEXT_BYTES]


def expected_length(head: bytes, pixel_bytes: int) -> tuple[bytes, int]:
    """Kind of an answer and length of its content, from its head.

    Args:
        head: ANSWER_HEAD.size bytes.
        pixel_bytes: the only length that pixels may have.

    Raises:
        GarbageError: the kind is unknown, or the length impossible for it.
    """
    kind, length = ANSWER_HEAD.unpack(head)
    if kind == PIXELS:
        if length != pixel_bytes:
            raise GarbageError(f"{length} bytes of pixels where {pixel_bytes} are due")
    elif kind not in {REFUSAL, OUT_OF_MEMORY, DEFECT, READY}:
        raise GarbageError("an answer of no known kind")
    elif length > MAX_TEXT_BYTES:
        raise GarbageError(f"a text of {length} bytes")
    return kind, length


def read_refusal(content: memoryview) -> ApiError:
    """The error that a refusal's content names.

    Raises:
        GarbageError: not one of the two codes, or not a sentence.
    """
    try:
        refusal = json.loads(bytes(content))
        code, message = refusal["code"], refusal["message"]
        known = len(refusal) == 2 and isinstance(message, str) and code in REFUSALS
    except (ValueError, TypeError, LookupError, RecursionError):
        raise GarbageError("a refusal that is not readable") from None
    if not known or not message or not message.isprintable():
        raise GarbageError("a refusal of another form")
    return REFUSALS[code](message)


def read_words(content: memoryview) -> str:
    """A text for the log: printable, and cut at the length limit."""
    text = bytes(content).decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else "?" for letter in text)
