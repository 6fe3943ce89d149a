"""Answers of the API and of services, held to what is expected of them."""

import json
from typing import Any

from verify.facts import Answer

SHOWN = 120


class Differs(Exception):
    """Something else was seen than expected; the message says what."""


class Skipped(Exception):
    """The check can't be made; the message says why. It is not passed."""


def read(answer: Answer) -> dict[str, Any]:
    """The answer's JSON object. Raises Differs."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Differs(f"{answer.status}, and no JSON object: {shown(answer.body)}")
    return found


def expect(answer: Answer, status: int) -> Answer:
    """The answer itself. Raises Differs where it has another status."""
    if answer.status != status:
        raise Differs(f"{answer.status}: {shown(answer.body)}")
    return answer


def refusal(answer: Answer, status: int, code: str) -> str:
    """What an error says. Raises Differs where it is not of the contract's shape."""
    body = read(expect(answer, status))
    if body.keys() != {"code", "message", "requestId"} or not all(body.values()):
        raise Differs(f"{status}, and the body {shown(answer.body)}")
    if body["code"] != code:
        raise Differs(f"{status} {body['code']}: {body['message']}")
    if answer.headers.get("access-control-allow-origin") != "*":
        raise Differs(f"{status} {code} without CORS")
    return f"{status} {code}"


def shown(content: bytes) -> str:
    """The beginning of a body, on one line."""
    text = " ".join(content[: 4 * SHOWN].decode("utf-8", "replace").split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def same(name: str, expected: object, seen: object) -> str:
    """What was seen. Raises Differs where it is not what was expected."""
    if expected != seen:
        raise Differs(f"{name} is {seen!r}, not {expected!r}")
    return f"{name} {seen}"
