"""A SQLite file that threads and processes share."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from image_similarity.catalogue.index import TransientError

BUSY_SECONDS = 30
PAGE_BYTES = 16384
"""Seven vectors a page: of SQLite's default of 4 KiB, one vector would leave half of each page empty."""


class SqliteFile:
    """One connection under a lock, in WAL mode: readers and one writer at a time don't wait for each other.

    Args:
        path: the file, made where there is none; ":memory:" for one that is gone with this object.
        schema: statements that make the tables, each for itself, harmless where they exist.
    """

    def __init__(self, path: Path | str, schema: Iterable[str]) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path, BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            self._db.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # what was written outlives the machine's power
            with self.writing():
                for statement in schema:
                    self._db.execute(statement)
        except BaseException:
            self._db.close()
            raise

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
                self._db.execute(begin)
                yield
                self._db.execute("COMMIT")
            except sqlite3.OperationalError as error:  # locked for too long, or no room on the disk
                raise TransientError(f"the file: {error}") from error
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
