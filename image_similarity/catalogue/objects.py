"""Where pictures come from: what the catalogue asks of a store of objects."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

MAX_BYTES = 20 * 1024**2
"""The largest object that is read, as for a file that a request names."""


@dataclass(frozen=True, slots=True)
class ObjectState:
    """An object as it is: equal ETags are equal bytes.

    Attributes:
        key: with the store's name of its bucket, `s3://bucket/key`.
        etag: as the store writes it.
        size: in bytes.
        modified: ISO 8601 in UTC.
    """

    key: str
    etag: str
    size: int
    modified: str


@dataclass(frozen=True, slots=True)
class Reading:
    """An object that was read; `data` is None where its ETag is the one that the reader knows already."""

    state: ObjectState
    data: bytes | None


class UnusableObject(Exception):
    """The object is there and can't become a picture as it is; the message says why, to its owner."""

    def __init__(self, state: ObjectState, message: str) -> None:
        super().__init__(message)
        self.state = state
        self.message = message


class Objects(Protocol):
    """Objects by key. Every read sees what was written before; all methods raise TransientError."""

    def read(self, key: str, known_etag: str | None = None) -> Reading | None:
        """The object as it is now, without its bytes if its ETag is `known_etag`; None where there is none.

        Raises:
            UnusableObject: too large to be read, or archived.
        """

    def look(self, key: str) -> ObjectState | None:
        """The object as it is now, not read; None where there is none."""


class Store(Objects, Protocol):
    """Objects that can be listed."""

    @property
    def roots(self) -> Sequence[str]:
        """What all keys begin with, one for each bucket: `s3://bucket/`. Nothing outside is read."""

    def page(self, root: str, prefix: str = "", after: str = "") -> list[ObjectState]:
        """The next objects in the order of their UTF-8 keys, at most 1,000; an empty list is the end.

        Args:
            root: one of `roots`.
            prefix: what keys begin with, the root included; empty: the root itself.
            after: the key that they follow.
        """


def is_folder_marker(state: ObjectState) -> bool:
    """Whether an object stands for a folder, as the S3 console makes them; such a one is no picture."""
    return state.size == 0 and state.key.endswith("/")
