"""Makes the index agree with the objects of some keys, whatever has happened to them.

What an event says is not believed, only that something may have changed: the object is read now. Where
there is one its vector is put, where there is none its vector is deleted. Afterwards the object is looked
at again: who wrote an older state over a newer one sees the newer one then, and says that the key is to be
done again. So the index converges without any order of events or of workers.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from enum import Enum

from image_similarity.catalogue.index import Entry, Index, IndexFileError, Record, TransientError, batches
from image_similarity.catalogue.ledger import Failure, Ledger
from image_similarity.catalogue.objects import Objects, ObjectState, is_folder_marker
from image_similarity.catalogue.reading import Absent, Picture, Reader, Seen, Trouble, Unchanged, Unusable
from image_similarity.inference.decoders import Decoder
from image_similarity.inference.encoder import Encoder

CHUNK = 100
"""Keys that are looked up, read and written together: as many as one GetVectors takes, and more
than the 59 from which on PutVectors is paid by size and not by call."""
logger = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of a key."""

    INDEXED = "its vector was put"
    DELETED = "its vector or its failure was removed: there is no such object"
    UNCHANGED = "the index agreed already"
    FAILED = "it can't be indexed as it is, which is remembered"
    AGAIN = "the object changed meanwhile: do the key again"
    LATER = "something failed that may pass: do the key again later"
    NOT_BEGUN = "there was no time"


FINISHED = frozenset({Outcome.INDEXED, Outcome.DELETED, Outcome.UNCHANGED, Outcome.FAILED})
Results = dict[str, Outcome]


class Indexer:
    """Any number of them may work side by side, on the same keys too.

    Args:
        store: the objects.
        index: their vectors.
        ledger: what can't be indexed.
        encoder: makes the vectors.
        reader: names the release and the index: what failed for another one is tried again.
        pool: its threads read objects side by side.
        decoder: decodes the pictures; none: this process does.
        decoding: pictures that are decoded at a time; the encoder has the other cores.
        clock: seconds, for deadlines.
    """

    def __init__(
        self,
        store: Objects,
        index: Index,
        ledger: Ledger,
        encoder: Encoder,
        *,
        reader: str,
        pool: Executor,
        decoder: Decoder | None = None,
        decoding: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store, self._index, self._ledger = store, index, ledger
        self._reader_name, self._clock = reader, clock
        self._reader = Reader(store, encoder, clock, decoder, decoding)
        self._pool = pool

    def index(self, keys: Iterable[str], deadline: float = float("inf")) -> Iterator[Results]:
        """Do these keys, a chunk at a time; what a chunk did is final when its results are given.

        Args:
            keys: of objects, in any order; repeated ones count once.
            deadline: by the clock: no object is read after it.

        Yields:
            The outcome of each key of a chunk.

        Raises:
            IndexFileError: the index is a file that can't be used.
        """
        for chunk in batches(dict.fromkeys(keys), CHUNK):
            if self._clock() >= deadline:
                yield dict.fromkeys(chunk, Outcome.NOT_BEGUN)
                continue
            try:
                yield self._chunk(chunk, deadline)
            except TransientError as error:
                logger.warning("%d pictures wait: %s", len(chunk), error)
                yield dict.fromkeys(chunk, Outcome.LATER)
            except IndexFileError:  # no picture's failure, and the next one's too
                raise
            except Exception:  # a defect or a missing permission: told, counted by the queue, never lost
                logger.exception("%d pictures could not be indexed", len(chunk))
                yield dict.fromkeys(chunk, Outcome.LATER)

    def _chunk(self, keys: Sequence[str], deadline: float) -> Results:
        indexed, failed = self._index.get(keys), self._ledger.known(keys)
        known = {key: failure for key, failure in failed.items() if failure.reader == self._reader_name}
        seen = self._reader.read_all(self._pool, keys, indexed, known, deadline)
        outcomes, written = self._write(seen, indexed, failed)
        return outcomes | self._changed_meanwhile(written)

    def _write(
        self, seen: dict[str, Seen], indexed: dict[str, Entry], failed: dict[str, Failure]
    ) -> tuple[Results, dict[str, str | None]]:
        """Write what was seen.

        Returns:
            The outcomes; and of what was written the ETag of the object that was seen (None: absent).
        """
        pictures = [found for found in seen.values() if isinstance(found, Picture)]
        refused = self._index.put([Record(_entry(found.state), found.vector) for found in pictures])
        for picture in pictures:
            if why := refused.get(picture.state.key):
                seen[picture.state.key] = Unusable(picture.state, f"The picture can't be indexed: {why}.")
        unusable = [found for found in seen.values() if isinstance(found, Unusable)]
        gone = [key for key, found in seen.items() if isinstance(found, Absent | Unusable) and key in indexed]
        well = [key for key, found in seen.items() if isinstance(found, Absent | Picture | Unchanged)]
        if gone:
            self._index.delete(gone)
        if unusable:
            self._ledger.fail([self._failure(found) for found in unusable])
        forgotten = [key for key in well if key in failed and not self._still_fails(seen[key], failed[key])]
        if forgotten:
            self._ledger.forget(forgotten)
        outcomes = {key: _outcome(found) for key, found in seen.items()}
        put = [found.state.key for found in seen.values() if isinstance(found, Picture | Unusable)]
        touched = dict.fromkeys((*put, *gone, *forgotten))
        return outcomes, {key: seen[key].etag for key in touched}

    def _still_fails(self, found: Seen, failure: Failure) -> bool:
        """Whether the object is still the one that failed, and its failure is why nothing was read."""
        return isinstance(found, Unchanged) and not found.indexed and found.etag == failure.etag

    def _failure(self, found: Unusable) -> Failure:
        state = found.state
        return Failure(state.key, state.etag, found.message, self._reader_name, time.time())

    def _changed_meanwhile(self, written: dict[str, str | None]) -> Results:
        """The keys whose objects are no longer what was written of them."""

        def look(key: str) -> ObjectState | TransientError | None:
            try:
                state = self._store.look(key)
            except TransientError as error:
                return error
            return None if state and is_folder_marker(state) else state

        results: Results = {}
        for key, state in zip(written, self._pool.map(look, written), strict=True):
            if isinstance(state, TransientError):
                results[key] = Outcome.LATER
            elif (state.etag if state else None) != written[key]:
                results[key] = Outcome.AGAIN
        return results


def _entry(state: ObjectState) -> Entry:
    return Entry(state.key, state.etag, state.size, state.modified)


def _outcome(found: Seen) -> Outcome:
    match found:
        case Picture():
            return Outcome.INDEXED
        case Absent():
            return Outcome.DELETED
        case Unchanged():
            return Outcome.UNCHANGED
        case Unusable():
            return Outcome.FAILED
        case Trouble():
            return Outcome.LATER if found.begun else Outcome.NOT_BEGUN
