"""Objects become vectors: read side by side, decoded one by one, encoded in batches meanwhile."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from image_similarity.catalogue.index import Entry, TransientError, Vector, batches
from image_similarity.catalogue.ledger import Failure
from image_similarity.catalogue.objects import Objects, ObjectState, UnusableObject, is_folder_marker
from image_similarity.inference.decoders import Decoder, InProcess
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.errors import ApiError, Unavailable

BATCH = 16
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Picture:
    """The object is a picture, and this is its vector."""

    state: ObjectState
    vector: Vector

    @property
    def etag(self) -> str | None:
        """Of the object."""
        return self.state.etag


@dataclass(frozen=True, slots=True)
class Unusable:
    """The object can't be indexed as it is."""

    state: ObjectState
    message: str

    @property
    def etag(self) -> str | None:
        """Of the object."""
        return self.state.etag


@dataclass(frozen=True, slots=True)
class Unchanged:
    """The object is the one that is indexed, or the one that failed (then `indexed` is False)."""

    etag: str | None
    indexed: bool


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no such object."""

    etag: None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Nothing is known of the object: its reading failed, or there was no time for it."""

    begun: bool
    etag: None = None


Seen = Picture | Unusable | Unchanged | Absent | Trouble
Pixels = NDArray[np.uint8]
Decoded = tuple[ObjectState, Pixels]


class Reader:
    """Reads objects of a store and makes their vectors with one encoder."""

    def __init__(
        self,
        store: Objects,
        encoder: Encoder,
        clock: Callable[[], float],
        decoder: Decoder | None = None,
        decoding: int = 1,
    ) -> None:
        self._store, self._encoder, self._clock = store, encoder, clock
        self._decoder = decoder or InProcess()
        self._decoding = threading.Semaphore(decoding)

    def read_all(
        self,
        pool: Executor,
        keys: Sequence[str],
        indexed: Mapping[str, Entry],
        failed: Mapping[str, Failure],
        deadline: float,
    ) -> dict[str, Seen]:
        """What the objects of these keys are now.

        Args:
            pool: its threads read and decode, this one encodes.
            keys: of the objects, each once.
            indexed: what the index has of them.
            failed: those that failed for this reader.
            deadline: by the clock: nothing is begun after it.
        """
        seen: dict[str, Seen] = {}

        def one(key: str) -> Seen | Decoded:
            if self._clock() >= deadline:
                return Trouble(begun=False)
            return self._read(key, indexed.get(key), failed.get(key))

        reading = {pool.submit(one, key): key for key in keys}
        try:
            for batch in batches(_pictures(reading, seen), BATCH):
                seen |= self._encode(batch)
        finally:
            for future in reading:
                future.cancel()
        return seen

    def _read(self, key: str, entry: Entry | None, failure: Failure | None) -> Seen | Decoded:
        known = entry.etag if entry else failure.etag if failure else None
        try:
            reading = self._store.read(key, known)
            if reading is None:
                return Absent()
            if reading.data is None:
                return Unchanged(reading.state.etag, indexed=entry is not None)
            if is_folder_marker(reading.state):
                return Absent()
            return self._decode(reading.state, reading.data)
        except UnusableObject as error:
            return Unusable(error.state, error.message)
        except TransientError as error:
            logger.warning("a picture waits: %s", error)
        except Exception:  # of one object: the others go on
            logger.exception("a picture could not be read")
        return Trouble(begun=True)

    def _decode(self, state: ObjectState, data: bytes) -> Seen | Decoded:
        preprocessing = self._encoder.manifest.preprocessing
        try:
            with self._decoding:
                return state, self._decoder.decode(data, preprocessing=preprocessing)
        except Unavailable as error:  # something from outside ended the decoder: not the picture's fault
            logger.warning("a picture waits: %s", error)
            return Trouble(begun=True)
        except ApiError as error:
            return Unusable(state, error.message)

    def _encode(self, batch: Sequence[Decoded]) -> dict[str, Seen]:
        try:
            vectors = self._encoder.encode(np.stack([pixels for _, pixels in batch]))
        except Exception:  # what is wrong with one picture is not to keep the others out
            if len(batch) > 1:
                alone = [self._encode([decoded]) for decoded in batch]
                return {key: seen for one in alone for key, seen in one.items()}
            logger.exception("a picture could not be encoded")
            return {batch[0][0].key: Trouble(begun=True)}
        return {state.key: Picture(state, vector) for (state, _), vector in zip(batch, vectors, strict=True)}


def _pictures(reading: Mapping[Future[Seen | Decoded], str], seen: dict[str, Seen]) -> Iterator[Decoded]:
    """The decoded pictures in order; everything else goes into `seen`."""
    for future, key in reading.items():
        found = future.result()
        if isinstance(found, tuple):
            yield found
        else:
            seen[key] = found
