"""A search: what may be asked, and the answer."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_similarity.catalogue.index import Index, Match, Vector
from image_similarity.catalogue.status import Catalogue
from image_similarity.inference.errors import InvalidRequest, NotFound, naming
from image_similarity.inference.json_body import quoted

SUBJECTS = ("url", "img", "key", "text")
FIELDS = (*SUBJECTS, "limit", "min_similarity", "prefix", "links")
MAX_LIMIT = 100
LONG = 10**18
DEFAULT_LIMIT = 10
PREFIX = re.compile(r"s3://[a-z0-9.-]{3,63}/.*", re.DOTALL)
LONGEST_PREFIX = len("s3://") + 63 + len("/") + 1024
"""Of the longest name of a bucket and the longest key."""
USAGE = 'Send one of "url", "img", "key" and "text".'


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for.

    Attributes:
        subject: the field that says by what: `url`, `img`, `key` or `text`.
        value: of that field.
        limit: matches at most, 1 to MAX_LIMIT.
        min_similarity: of a match, 0 to 1.
        prefix: what the keys of matches begin with; empty: anything.
        links: whether links to the pictures are asked for.
    """

    subject: str
    value: str
    limit: int = DEFAULT_LIMIT
    min_similarity: float = 0.0
    prefix: str = ""
    links: bool = False


def parse(fields: Mapping[str, Any]) -> Query:
    """Read the fields of a search's body, JSON values by name.

    Raises:
        InvalidRequest: unknown fields, none or several subjects, or a value of another type or out of its
        range.
    """
    check_names(fields, FIELDS, "a search")
    subjects = [name for name in SUBJECTS if name in fields]
    if len(subjects) != 1:
        raise InvalidRequest(f"{' and '.join(subjects) or 'Nothing'} to search by. {USAGE}")
    read: dict[str, Any] = {}
    for name, value in fields.items():
        with naming(name):
            read[name] = READERS[name](value)
    subject = subjects[0]
    return Query(subject, read.pop(subject), **read)


def check_names(fields: Iterable[str], known: Sequence[str], what: str) -> None:
    """Raise InvalidRequest for a field that a search or a sync does not know."""
    for name in fields:
        if name not in known:
            raise InvalidRequest(f"Unknown field {quoted(name)}: {what} has {', '.join(known)}.")


class Search:
    """Searches one index."""

    def __init__(self, index: Index, catalogue: Catalogue) -> None:
        self._index, self._catalogue = index, catalogue

    def answer(self, query: Query, vector: Vector | None = None) -> dict[str, Any]:
        """The answer of `POST /catalogue/search`, as JSON values; links are the adapter's.

        Args:
            query: what is looked for.
            vector: of the picture or the text, float32 [512]; none where the subject is a `key`.

        Raises:
            NotFound: the picture of `key` is not indexed.
            TransientError: the index does not answer.
        """
        own = query.value if query.subject == "key" else None
        if own is not None:
            vector = self._index.vector(own)
        if vector is None:
            with naming(query.subject):
                raise NotFound("no picture of this name is in the catalogue.")
        matches = self._index.query(vector, query.limit, query.prefix)
        least = query.min_similarity
        return {
            "matches": [_written(match) for match in matches if match.similarity >= least],
            "complete": self._catalogue.complete(),
        }


def _written(match: Match) -> dict[str, Any]:
    entry = match.entry
    return {
        "key": entry.key,
        "similarity": match.similarity,
        "size": entry.size,
        "modified": entry.modified,
        "etag": entry.etag,
    }


def _subject(value: object) -> str:
    text = _text(value)
    if not text:
        raise InvalidRequest(f"empty. {USAGE}")
    return text


def _characters(value: object) -> str:
    return _written_in_utf8(_subject(value))


def read_prefix(value: object) -> str:
    """Read the field `prefix`, of a search or a sync; raises InvalidRequest."""
    text = _text(value)
    if not PREFIX.fullmatch(text) or len(text) > LONGEST_PREFIX:
        raise InvalidRequest(
            "expected s3://bucket/ and what the names of the pictures begin with, "
            f"at most {LONGEST_PREFIX} characters."
        )
    return _written_in_utf8(text)


def _written_in_utf8(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest("half of a surrogate pair is no text that UTF-8 can write.") from error
    return text


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidRequest(f"found {_kind(value)}, expected a string.")
    return value


def _limit(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LIMIT:
        raise InvalidRequest(f"found {_kind(value)}, expected a whole number from 1 to {MAX_LIMIT}.")
    return value


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InvalidRequest(f"found {_kind(value)}, expected a number from 0 to 1.")
    return float(value)


def _links(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequest(f"found {_kind(value)}, expected true or false.")
    return value


def _kind(value: object) -> str:
    """A value as the caller wrote it, where it is short; else what it is."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value) if -LONG < value < LONG else "a number beyond"
    if isinstance(value, str):
        return "a string"
    return "an array" if isinstance(value, list) else "an object"


READERS: Mapping[str, Callable[[object], Any]] = {
    **{"url": _subject, "img": _subject, "key": _characters, "text": _characters},
    **{"limit": _limit, "min_similarity": _share, "prefix": read_prefix, "links": _links},
}
