"""What a server says, checked before anything is done with it."""

import json
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from image_similarity.cli.matches import Hit
from image_similarity.cli.text import shortened
from image_similarity.inference.manifest import DIMENSIONS

OK = 200
SERVER_ERROR = 500
ROUNDED = 0.01
"""How far the length of a vector of rounded numbers may be from 1."""


class BadAnswer(Exception):
    """No answer of this API; the message says what it was."""


class ApiRefusal(Exception):
    """An error of the API: its code, its message, and the status of the answer that it came in."""

    def __init__(self, code: str, message: str, status: int = OK) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.status = code, status


def read(status: int, body: bytes, content_type: str = "") -> dict[str, Any]:
    """The JSON object of a success.

    Args:
        status: of the answer.
        body: its bytes.
        content_type: its header, which is told where the body is no JSON.

    Raises:
        ApiRefusal: the answer is an error in the API's shape, or API Gateway's.
        BadAnswer: it is anything else.
    """
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as error:
        kind = _kind(body, content_type)
        raise BadAnswer(f"The answer (status {status}) is not JSON but {kind}. {_advice(status)}") from error
    if not isinstance(content, dict):
        raise BadAnswer(f"The answer (status {status}) is not a JSON object. {_advice(status)}")
    if status == OK:
        return content
    code, message = content.get("code"), content.get("message")
    if not isinstance(message, str):
        raise BadAnswer(f"The answer (status {status}) has no message. {_advice(status)}")
    raise ApiRefusal(shortened(code) if isinstance(code, str) else str(status), shortened(message), status)


def _kind(body: bytes, content_type: str) -> str:
    if not body:
        return "empty"
    return shortened(content_type.partition(";")[0].strip()) or "something else"


def _advice(status: int) -> str:
    """What to do about an answer that is not of the API: servers between send pages of their own."""
    if status >= SERVER_ERROR:
        return "Something before the API sent it: try again in a moment, or check the URL."
    return "Is this the URL of the API?"


def vector(content: dict[str, Any]) -> NDArray[np.float64]:
    """The vector of an answer: float64 [512], of length 1.

    Raises:
        BadAnswer: there is none, or it is none.
    """
    numbers = content.get("result")
    if not isinstance(numbers, list) or len(numbers) != DIMENSIONS:
        raise BadAnswer(f'The answer has no "result" of {DIMENSIONS} numbers. Is this the URL of the API?')
    if not all(_is_number(number) and -1.1 <= number <= 1.1 for number in numbers):
        raise BadAnswer("The answer's vector contains something other than numbers from -1 to 1.")
    array = np.array(numbers, dtype=np.float64)
    if abs(float(np.linalg.norm(array)) - 1) > ROUNDED:
        raise BadAnswer("The answer's vector is not of length 1. Is this the URL of the API?")
    return array


def results(content: dict[str, Any], count: int) -> list[NDArray[np.float64] | ApiRefusal]:
    """What the answer to a batch of so many pictures says of each.

    Raises:
        BadAnswer: something else.
    """
    items = content.get("results")
    if not isinstance(items, list) or len(items) != count:
        raise BadAnswer(f'The answer has no "results" for {count} pictures. Is this the URL of the API?')
    return [_result(item) for item in items]


def _result(item: Any) -> NDArray[np.float64] | ApiRefusal:  # noqa: ANN401 - JSON
    if not isinstance(item, dict):
        raise BadAnswer('One of the "results" is not a JSON object. Is this the URL of the API?')
    if "error" not in item:
        return vector(item)
    error = item["error"]
    code, message = (error.get("code"), error.get("message")) if isinstance(error, dict) else (None, None)
    if not isinstance(code, str) or not isinstance(message, str):
        raise BadAnswer('One of the "results" has an error without code and message.')
    return ApiRefusal(shortened(code), shortened(message))


def similarity(content: dict[str, Any]) -> float:
    """The similarity of an answer, 0 to 1.

    Raises:
        BadAnswer: there is none, or it is none.
    """
    number: Any = content.get("similarity")
    if not _is_number(number) or not 0 <= number <= 1:
        raise BadAnswer('The answer has no "similarity" from 0 to 1. Is this the URL of the API?')
    return float(number)


def hits(content: dict[str, Any]) -> tuple[list[Hit], bool]:
    """The matches of a search's answer, and whether the catalogue is complete.

    Raises:
        BadAnswer: there are none, or something in them is of another kind.
    """
    matches = content.get("matches")
    if not isinstance(matches, list) or not isinstance(content.get("complete"), bool):
        raise BadAnswer('The answer has no "matches" and "complete". Is this the URL of a catalogue?')
    return [_hit(match) for match in matches], content["complete"]


def _hit(match: Any) -> Hit:  # noqa: ANN401 - JSON
    if not isinstance(match, dict) or not isinstance(match.get("key"), str):
        raise BadAnswer('A match of the answer has no "key". Is this the URL of a catalogue?')
    size, modified = match.get("size"), match.get("modified")
    return Hit(
        match["key"],
        similarity(match),
        size if isinstance(size, int) else 0,
        modified if isinstance(modified, str) else "",
    )


def _is_number(value: Any) -> bool:  # noqa: ANN401 - JSON
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
