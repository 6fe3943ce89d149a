"""One file that holds the vectors of folders' pictures, and follows them."""

import os
from collections.abc import Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Match, Vector, batches, index_name
from image_similarity.catalogue.indexing import FINISHED, Indexer, Outcome
from image_similarity.catalogue.ledger_file import FileLedger
from image_similarity.folders import looking
from image_similarity.folders.ahead import ahead
from image_similarity.folders.decoding import Named
from image_similarity.folders.encoding import DeferredEncoder
from image_similarity.folders.inventory import Inventory, file_path
from image_similarity.folders.roots import Roots
from image_similarity.folders.store import FileStore, key_of, prefix_of
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.manifest import DIMENSIONS
from image_similarity.version import __version__

CHUNK = 16
"""Pictures that are written at once, one batch of the encoder. Each core has a chunk of its own: encoders of
one thread wait for nobody, and the threads of one encoder for those that decode on their cores."""
TRIES = 3
CHANGES = "it changes while it is read. Try again when it is written."
GONE = "it was deleted before it was read."
NOT_NOW = "it could not be indexed now. Try again."

NO_VECTOR = {Outcome.AGAIN: CHANGES, Outcome.DELETED: GONE}


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a picture; `problem` says why it has no vector, None where it has one."""

    key: str
    problem: str | None


class FolderIndex:
    """Vectors of pictures by key (see `store.key_of`), in one file that other processes may have open too.

    Args:
        path: the file, made with its folder where there is none.
        encoder: makes the vectors; a file keeps to the model of its first one.

    Raises:
        IndexFileError: the file is something else, is damaged, can't be written, or holds vectors of another
        model.
        OSError: its folder can't be made.
    """

    def __init__(self, path: Path, encoder: Encoder) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # it tells what pictures there are
        self.path, self.encoder = path, encoder
        name = index_name(encoder.manifest)
        self._reader = f"{__version__} {name}"
        self._index = EmbeddedIndex(path, name)
        self._ledger, self._roots, self._store = FileLedger(path), Roots(path), FileStore()

    def close(self) -> None:
        """Let go of the file."""
        for part in (self._index, self._ledger, self._roots):
            part.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._index)

    @property
    def folders(self) -> list[str]:
        """Those that are followed."""
        return self._roots.folders()

    @property
    def away(self) -> list[str]:
        """The prefixes of those that are not there now: their pictures stay, and are not to be searched."""
        return looking.away(self.folders)

    def look_through(self, sources: Sequence[str]) -> Inventory:
        """See what is in folders, and in files; the folders are followed from now on.

        Nothing is read yet. A folder that lies in another of them, or is named twice, is looked through once.
        What is not there is a failure, unless its pictures are known: then it is away.
        """
        return looking.look_through(sources, self._index, self._roots)

    def look_through_all(self) -> Inventory:
        """See what is in all folders that are followed, and in the files that were given one by one."""
        prefixes = tuple(self._roots.prefixes())
        inventory = self.look_through(self.folders)
        etags = self._index.etags()
        inventory.look_again({key: etag for key, etag in etags.items() if not key.startswith(prefixes)})
        return inventory

    def todo(self, inventory: Inventory) -> list[str]:
        """The keys of files that are new or were changed, but for those that failed as they are."""
        known = inventory.known
        differ = [key for key, state in inventory.states.items() if known.get(key) != state.etag]
        failed = self._ledger.known(differ) if self._ledger.failed() else {}
        final = {key: one.etag for key, one in failed.items() if one.reader == self._reader}
        return [key for key in differ if final.get(key) != inventory.states[key].etag]

    def agreeing(self, inventory: Inventory, keys: Sequence[str]) -> int:
        """How many of these have the vector of their file as the inventory saw it."""
        entries = self._index.get(keys)
        return sum(entry.etag == inventory.states[key].etag for key, entry in entries.items())

    def drop(self, keys: Sequence[str]) -> None:
        """Remove pictures that are gone."""
        self._index.delete(keys)
        self._ledger.forget(keys)

    def forget(self, folder: str) -> int:
        """Follow a folder no longer, or a file, and remove its pictures; how many there were."""
        path = os.path.realpath(folder)
        names = {key_of(path), key_of(file_path(folder))}  # of a link: what it links to, or itself
        keys = [*self._index.etags(prefix_of(path)), *self._index.get(names)]
        self.drop(keys)
        self._roots.drop(prefix_of(path))
        return len(keys)

    def load(self) -> None:
        """Load the model now, where that was put off.

        Raises:
            ManifestError: it can't be loaded.
        """
        if isinstance(self.encoder, DeferredEncoder):
            self.encoder.load()

    def update(self, keys: Sequence[str]) -> Generator[list[Done], None, None]:
        """Read and index pictures; what is given as done is in the file. Closed, it finishes what was begun.

        Yields:
            Some pictures at a time, each once.

        Raises:
            IndexFileError: the file can't be written: its disk is full, or it is damaged.
            ManifestError: the model can't be loaded.
        """
        self.load()  # not while a picture is read, whose failure it would be
        cores = os.cpu_count() or 1
        with ThreadPoolExecutor(cores) as reading, ThreadPoolExecutor(cores) as encoding:
            indexer = Indexer(
                self._store,
                self._index,
                self._ledger,
                self.encoder,
                reader=self._reader,
                pool=reading,
                decoder=Named(),
                decoding=cores,
            )
            chunks = batches(keys, max(1, min(CHUNK, len(keys) // cores)))
            yield from ahead(encoding, partial(self._chunk, indexer), chunks, cores)

    def _chunk(self, indexer: Indexer, keys: Sequence[str]) -> list[Done]:
        problems = dict.fromkeys(keys, NOT_NOW)
        left = list(keys)
        for _ in range(TRIES):
            results = next(indexer.index(left))
            for key, outcome in results.items():
                if outcome in NO_VECTOR:
                    problems[key] = NO_VECTOR[outcome]
            left = [key for key, outcome in results.items() if outcome is Outcome.AGAIN]
            for key, outcome in results.items():
                if outcome in FINISHED and outcome not in NO_VECTOR:
                    del problems[key]
            if not left:
                break
        problems |= self.failures(key for key in keys if key not in problems)
        return [Done(key, problems.get(key)) for key in keys]

    def failures(self, keys: Iterable[str]) -> dict[str, str]:
        """Why pictures have no vector, by key, of those that failed as they are."""
        failures = self._ledger.known(keys) if self._ledger.failed() else {}
        return {key: failure.message for key, failure in failures.items()}

    def vectors(self, keys: Sequence[str]) -> tuple[list[str], Vector]:
        """The keys that have vectors, in order, and their vectors float32 [n, 512]."""
        array = np.empty((len(keys), DIMENSIONS), dtype=np.float32)
        present: list[str] = []
        for key, vector in self._index.vectors(keys):
            array[len(present)] = vector
            present.append(key)
        return present, array[: len(present)]

    def vector(self, key: str) -> Vector | None:
        """The vector of a picture whose file is the one that was indexed."""
        state, entries = self._store.look(key), self._index.get([key])
        known = state is not None and key in entries and entries[key].etag == state.etag
        return self._index.vector(key) if known else None

    def search(self, vector: Vector, limit: int, prefix: str = "", away: Sequence[str] = ()) -> list[Match]:
        """The most similar pictures, the best first, equal ones by key.

        Args:
            vector: float32 [512].
            limit: at least 1.
            prefix: what their keys begin with.
            away: what they don't begin with.
        """
        ask = limit
        while True:
            matches = self._index.query(vector, ask, prefix)
            here = [match for match in matches if not match.entry.key.startswith(tuple(away))]
            if len(here) >= limit or len(matches) < ask:
                return here[:limit]
            ask *= 4
