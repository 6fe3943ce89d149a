"""A SQLite file that threads and processes share."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image_similarity.catalogue.index import IndexFileError, TransientError

BUSY_SECONDS = 30
PAGE_BYTES = 16384
"""Seven vectors a page: of SQLite's default of 4 KiB, one vector would leave half of each page empty."""
APPLICATION_ID = 0x50696374
"""Marks the file as ours (it is "Pict"): others keep databases of SQLite too, which are left as they are."""
PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
PRIMARY = 0xFF
"""The bits of an extended code of SQLite that say which kind it is of."""


class SqliteFile:
    """One connection under a lock, in WAL mode: readers and one writer at a time don't wait for each other.

    Args:
        path: the file, made where there is none; ":memory:" for one that is gone with this object.
        schema: statements that make the tables, each for itself, harmless where they exist.

    Raises:
        IndexFileError: it is something else, is damaged, or can't be written. Every use raises it too.
    """

    def __init__(self, path: Path | str, schema: Iterable[str]) -> None:
        self._lock, self._path = threading.RLock(), path
        with self._told_apart():
            self._db = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._set_up(schema)
        except BaseException:
            self._db.close()
            raise

    def _set_up(self, schema: Iterable[str]) -> None:
        with self._told_apart():
            if not self._db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                self._db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                self._db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            elif self._db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise IndexFileError(
                    f"{self._path} is not an index of pictures, but a database of another program"
                )
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # what was written outlives the machine's power
        with self.writing():
            for statement in schema:
                self._db.execute(statement)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def run(self, statement: str, values: Iterable[Any] = ()) -> sqlite3.Cursor:
        """Run one statement inside `writing` or `reading`."""
        return self._db.execute(statement, tuple(values))

    def rows(self, statement: str, values: Iterable[Any] = ()) -> list[Any]:
        """All rows of a query."""
        with self.reading():
            return self.run(statement, values).fetchall()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it is written, or nothing. Raises TransientError, as `reading`."""
        with self._transaction("BEGIN IMMEDIATE"):
            yield

    @contextmanager
    def reading(self) -> Iterator[None]:
        """One state of the file for several reads; inside another transaction, its own."""
        with self._lock:
            if self._db.in_transaction:
                yield
            else:
                with self._transaction("BEGIN"):
                    yield

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[None]:
        with self._lock:
            try:
                with self._told_apart():
                    self._db.execute(begin)
                    yield
                    self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    @contextmanager
    def _told_apart(self) -> Iterator[None]:
        """Raises TransientError for a file that is locked too long, and IndexFileError for all else."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            if not hasattr(error, "sqlite_errorcode"):  # Python's own: of wrong use, not of the file
                raise
            code = error.sqlite_errorcode & PRIMARY
            if code in PASSING:
                raise TransientError(f"the file: {error}") from error
            if code == sqlite3.SQLITE_NOTADB:
                why = f"is not an index of pictures ({error})"
            elif code == sqlite3.SQLITE_CORRUPT:
                why = f"is damaged ({error}): delete it, and the next run indexes the pictures anew"
            else:
                why = f"can't be read or written ({error})"
            raise IndexFileError(f"{self._path} {why}") from error
