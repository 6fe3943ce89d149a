"""Where buckets and index differ, page by page, from both sides and from the failures."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from image_similarity.catalogue.index import Index
from image_similarity.catalogue.ledger import Ledger
from image_similarity.catalogue.messages import Listing
from image_similarity.catalogue.objects import Store, is_folder_marker


@dataclass(frozen=True, slots=True)
class Found:
    """What a page showed: keys to look at, how many were compared, and where it goes on (empty: nowhere)."""

    keys: tuple[str, ...]
    listed: int
    token: str


class Differences:
    """Compares a store with an index.

    Args:
        store: the objects.
        index: their vectors.
        ledger: what failed.
        reader: the release and the index that read, as the indexer's: what failed for others differs.
        pool: its threads look at objects side by side.
    """

    def __init__(self, store: Store, index: Index, ledger: Ledger, *, reader: str, pool: Executor) -> None:
        self._store, self._index, self._ledger, self._reader = store, index, ledger, reader
        self._pool = pool

    @property
    def roots(self) -> Sequence[str]:
        """As `Store.roots`."""
        return self._store.roots

    def page(self, place: Listing, prefix: str) -> Found:
        """Compare one page of what `place` names, as far as keys begin with `prefix`."""
        match place.phase:
            case "objects" if not self.roots:
                return Found((), 0, "")
            case "objects":
                return self._objects(self.roots[place.root], place.token, prefix)
            case "vectors":
                return self._vectors(place.token, prefix)
            case "failures":
                return self._failures(place.token, prefix)
            case "settle":
                return Found((), 0, "")

    def _objects(self, root: str, after: str, prefix: str) -> Found:
        """Objects that the index lacks, or has of another ETag; but those that failed as they are."""
        if not (root.startswith(prefix) or prefix.startswith(root)):
            return Found((), 0, "")
        page = self._store.page(root, max(root, prefix, key=len), after)
        etags = {state.key: state.etag for state in page if not is_folder_marker(state)}
        indexed = self._index.get(etags)
        differ = [key for key, etag in etags.items() if key not in indexed or indexed[key].etag != etag]
        failed = self._ledger.known(differ)
        keys = [
            key
            for key in differ
            if key in indexed
            or key not in failed
            or (failed[key].etag, failed[key].reader) != (etags[key], self._reader)
        ]
        return Found(tuple(keys), len(page), page[-1].key if page else "")

    def _vectors(self, token: str, prefix: str) -> Found:
        """Entries whose objects are gone; of those that are another object, `_objects` speaks."""
        page = self._index.page(token or None)
        keys = [entry.key for entry in page.entries if entry.key.startswith(prefix)]
        states = zip(keys, self._pool.map(self._store.look, keys), strict=True)
        gone = tuple(key for key, state in states if state is None)
        return Found(gone, len(page.entries), page.token or "")

    def _failures(self, token: str, prefix: str) -> Found:
        """Failures whose objects are gone, or are no longer what failed."""
        page, following = self._ledger.page(token)
        etags = {failure.key: failure.etag for failure in page if failure.key.startswith(prefix)}
        states = zip(etags.items(), self._pool.map(self._store.look, etags), strict=True)
        differ = tuple(key for (key, etag), state in states if state is None or state.etag != etag)
        return Found(differ, len(page), following)
