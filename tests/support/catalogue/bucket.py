"""Buckets in memory, which tell of their changes as S3 does: at least once, in no order, or (when asked)
not."""

import hashlib
from collections.abc import Callable, Sequence

from image_similarity.catalogue.objects import MAX_BYTES, ObjectState, Reading, UnusableObject

PAGE = 7
ARCHIVED = b"archived"


class Buckets:
    """See `Store`; keys of other roots are not read."""

    def __init__(self, roots: Sequence[str] = ("s3://photos/",), page: int = PAGE) -> None:
        self.roots = tuple(roots)
        self._page = page
        self.objects: dict[str, bytes] = {}
        self.tell: Callable[[str], None] = lambda key: None
        self._writes = 0

    def write(self, key: str, data: bytes) -> None:
        self.objects[key] = data
        self.tell(key)

    def remove(self, key: str) -> None:
        self.objects.pop(key, None)
        self.tell(key)

    def etag(self, key: str) -> str:
        return f'"{hashlib.md5(self.objects[key], usedforsecurity=False).hexdigest()}"'

    def look(self, key: str) -> ObjectState | None:
        if key not in self.objects or not key.startswith(self.roots):
            return None
        return ObjectState(key, self.etag(key), len(self.objects[key]), "2026-11-26T00:00:00Z")

    def read(self, key: str, known_etag: str | None = None) -> Reading | None:
        state = self.look(key)
        if state is None:
            return None
        if state.etag == known_etag:
            return Reading(state, None)
        if self.objects[key].startswith(ARCHIVED):
            raise UnusableObject(state, "The object is archived; restore it first.")
        if state.size > MAX_BYTES:
            raise UnusableObject(state, "The object is too large.")
        return Reading(state, self.objects[key])

    def page(self, root: str, prefix: str = "", after: str = "") -> list[ObjectState]:
        first = prefix or root
        keys = sorted((key for key in self.objects if key.startswith(first)), key=str.encode)
        states = [self.look(key) for key in keys if key.encode() > after.encode()][: self._page]
        return [state for state in states if state]
