"""The buckets that a catalogue follows: what a caller is told who names another one.

Whoever may search may know them: `GET /catalogue` lists them, and matches name them.
"""

from collections.abc import Sequence

from image_similarity.inference.errors import InvalidRequest, NotFound
from image_similarity.inference.json_body import quoted

SCHEME = "s3://"
NAMED = 10
"""Buckets that a message names at most."""


def bucket_of(name: str) -> str:
    """The bucket in `s3://bucket/` and all that follows."""
    return name.removeprefix(SCHEME).partition("/")[0]


def check_prefix(prefix: str, roots: Sequence[str]) -> None:
    """Raise InvalidRequest for a prefix outside of all buckets: that nothing has it would be no news.

    Args:
        prefix: what keys are to begin with, a whole bucket's name included.
        roots: the buckets, as `Store.roots`.
    """
    if not prefix.startswith(tuple(roots)):
        raise InvalidRequest(f"{_stranger(prefix, roots)} Name one of these, or send no prefix.")


def check_key(key: str, roots: Sequence[str]) -> None:
    """Raise NotFound for a key outside of all buckets."""
    if key.startswith(tuple(roots)):
        return
    if not key.startswith(SCHEME):
        raise NotFound(
            "no bucket of this catalogue has a picture of this name; send s3://bucket/key, as matches "
            "have it."
        )
    raise NotFound(f"{_stranger(key, roots)} Send a key as matches have it.")


def _stranger(name: str, roots: Sequence[str]) -> str:
    buckets = [bucket_of(root) for root in roots]
    more = [f"{len(buckets) - NAMED} more (GET /catalogue lists all)"] if len(buckets) > NAMED else []
    named = ", ".join([*buckets[:NAMED], *more]) or "none"
    return f"{quoted(bucket_of(name))} is no bucket of this catalogue; it has {named}."
