"""The JSON object of a request's body: RFC 8259 in UTF-8, bounded before Python makes objects of it."""

import json
from collections import Counter
from typing import Any

from image_similarity.inference.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType

MAX_BODY_BYTES = 5 * 1024**2
"""With the gateway's envelope around it a body fits into Lambda's event of 6 MiB, and into SageMaker's."""

STRUCTURE = (b"{", b"[", b",")
MAX_STRUCTURE = 140_000
"""The most STRUCTURE characters of a body. A batch needs two for each image; others can only be part of URLs,
as base64 has none, and 16 URLs of the greatest length have 131,072 characters. Python would build 180 MB of
objects from 5 MiB of nested values; from so many it builds 8 MB."""

FEW = 1000
"""Up to this many hits are searched one by one."""

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
"""Skipped, as RFC 8259 section 8.1 permits: some Windows tools write it."""
REPLACED = "\ufffd"
NOT_UTF8 = "The body is not UTF-8: it has bytes that can't be decoded. Send JSON in UTF-8."
JSON_TYPE_NAMES = {type(None): "null", bool: "a boolean", int: "a number", float: "a number"} | {
    list: "an array",
    dict: "an object",
    str: "a string",
}


def load_object(content_type: str | None, body: bytes, usage: str) -> dict[str, Any]:
    """The JSON object of a body.

    Args:
        content_type: the value of the Content-Type header, None where there is none. A missing or empty one
            counts as application/json.
        body: the body as it arrived.
        usage: what to send, for the message of a body that is no object of the call.

    Raises:
        UnsupportedMediaType: the content type is not application/json.
        PayloadTooLarge: the body is over MAX_BODY_BYTES.
        InvalidRequest: the body is not a JSON object.
    """
    _check_content_type(content_type)
    if len(body) > MAX_BODY_BYTES:
        raise PayloadTooLarge(
            f"The request body has {len(body)} bytes; the limit is {MAX_BODY_BYTES} (5 MiB). "
            'Send a smaller image, or its "url" instead of "img".'
        )
    return _parsed(body, usage)


def _check_content_type(content_type: str | None) -> None:
    if content_type is None or not content_type.strip(" \t"):
        return  # clients that sign their own requests often send none
    # RFC 9110 section 8.3.1: the type is case-insensitive and parameters follow a semicolon.
    if content_type.partition(";")[0].strip(" \t").lower() != "application/json":
        raise UnsupportedMediaType(
            f"The Content-Type is {quoted(content_type)}. Send 'Content-Type: application/json'."
        )


def _parsed(body: bytes, usage: str) -> dict[str, Any]:
    """RFC 8259 JSON in UTF-8, without the extensions that Python's parser allows."""
    if _has_too_many_values(body):
        raise InvalidRequest(
            f"The body has too many values: an image is one string of base64, not a list of numbers. {usage}"
        )
    # If the body is not UTF-8, API Gateway passes on U+FFFD: both backends refuse that as well.
    try:
        text = body.removeprefix(BYTE_ORDER_MARK).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidRequest(NOT_UTF8) from error
    if not text.isascii() and REPLACED in text:
        raise InvalidRequest(NOT_UTF8)
    objects = _Objects()
    try:
        value = json.loads(text, object_pairs_hook=objects.make, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidRequest(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise InvalidRequest("The body is nested too deeply. " + usage) from error
    except ValueError as error:  # Python refuses integers of more than 4300 digits
        raise InvalidRequest("The body holds a number with too many digits. " + usage) from error
    objects.check(value)
    if not isinstance(value, dict):
        raise InvalidRequest(f"The body is {JSON_TYPE_NAMES[type(value)]}, not an object. {usage}")
    return value


def _has_too_many_values(body: bytes) -> bool:
    """Searches the bytes: in a str, one character beyond ASCII would make every step slower."""
    return sum(_count(body, character) for character in STRUCTURE) > MAX_STRUCTURE


def _count(body: bytes, character: bytes) -> int:
    """How often a character stands in a body.

    `find` compares 32 characters at once where `count` compares one, so it is ten times as fast on base64,
    which has none of them; but each hit costs a call, so a body of nothing else is left to `count`.
    """
    position = -1
    for hits in range(FEW):
        position = body.find(character, position + 1)
        if position < 0:
            return hits
    return FEW + body.count(character, position + 1)


class _Objects:
    """Makes the objects of one body; `repeated` holds a name for each in which one stands more than once."""

    def __init__(self) -> None:
        self.repeated: list[tuple[dict[str, Any], str]] = []

    def make(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        fields = dict(pairs)
        if len(fields) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            self.repeated.append((fields, next(name for name, count in counts.items() if count > 1)))
        return fields

    def check(self, value: object) -> None:
        """Raises InvalidRequest for a repeated name, with its place where requests have objects."""
        if not self.repeated:
            return
        made, name = self.repeated[-1]  # the body itself is made last
        if made is not value:
            made, name = self.repeated[0]
        lists = value.items() if isinstance(value, dict) and made is not value else ()
        places = (
            f"{field}[{place}].{name}"
            for field, items in lists
            if isinstance(items, list)
            for place, item in enumerate(items)
            if item is made
        )
        field = next(places, name)
        raise InvalidRequest(f"The field {quoted(field)} stands more than once. Send it once.")


def _refuse_constant(name: str) -> None:
    raise InvalidRequest(f"The body is not JSON: {name} is not a JSON value.")


def quoted(text: str) -> str:
    """The caller's own text, short, for a message."""
    return json.dumps(text if len(text) <= 64 else text[:64] + "...")
