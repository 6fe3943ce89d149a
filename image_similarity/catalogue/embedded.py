"""An index in one SQLite file on this machine, searched exactly in memory.

The file is the truth: a put or a delete is one transaction, so a crash leaves the index as it was before or
after it, and readers in other processes see either. A search multiplies the query with all vectors, of which
this process keeps a copy (2 KB a picture); a counter of changes says which rows to read again: docs/adr/0005.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from image_similarity.catalogue.index import (
    Entry,
    IndexFileError,
    Limits,
    Match,
    Page,
    Record,
    Vector,
    accepted,
    batches,
    best,
    directed,
    rounded_score,
)
from image_similarity.catalogue.rows import Rows
from image_similarity.catalogue.sqlite_file import SqliteFile

SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    """CREATE TABLE IF NOT EXISTS picture (
        slot INTEGER PRIMARY KEY, key TEXT UNIQUE, etag TEXT, size INTEGER, modified TEXT,
        vector BLOB, change INTEGER NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS picture_change ON picture (change)",
    "CREATE INDEX IF NOT EXISTS picture_free ON picture (slot) WHERE key IS NULL",
    "INSERT OR IGNORE INTO about VALUES ('change', 0)",
)
ENTRY = "SELECT key, etag, size, modified"
SET = "UPDATE picture SET (key, etag, size, modified, vector, change) = (?, ?, ?, ?, ?, ?)"
INSERT = "INSERT INTO picture (key, etag, size, modified, vector, change) VALUES (?, ?, ?, ?, ?, ?)"
FREE = "(SELECT slot FROM picture WHERE key IS NULL LIMIT 1)"
CHANGE = "SELECT value FROM about WHERE name = 'change'"
LAST = "\U0010ffff"
NEAR = 1e-5
"""How far a float32 cosine may be from the exact one: what is so near to the cut is computed again."""


class EmbeddedIndex:
    """An index in one file. Any number of threads may call it, and other processes have it open too.

    Args:
        path: the file; it is made where there is none.
        name: of the index, see `index.index_name`: a file keeps to its first one.

    Raises:
        IndexFileError: the file is something else, is damaged, can't be written, or holds vectors of another
        model.
    """

    limits = Limits(put=1000, get=1000, key_bytes=65_536)

    def __init__(self, path: Path, name: str) -> None:
        self._rows = Rows()
        self._file = SqliteFile(path, SCHEMA)
        with self._file.writing():
            self._file.run("INSERT OR IGNORE INTO about VALUES ('name', ?)", (name,))
            kept = self._file.run("SELECT value FROM about WHERE name = 'name'").fetchone()[0]
        if kept != name:
            self._file.close()
            raise IndexFileError(
                f"{path} holds vectors of another model ({kept}, expected {name}): choose another file"
            )

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return int(self._file.rows("SELECT count(key) FROM picture")[0][0])

    def intact(self) -> bool:
        """Whether SQLite finds nothing wrong with the file, which it reads whole."""
        return bool(self._file.rows("PRAGMA quick_check")[0][0] == "ok")

    def put(self, records: Sequence[Record]) -> dict[str, str]:
        """See `Index.put`; up to `limits.put` records are one transaction."""
        taken, refused = accepted(records, self.limits)
        for batch in batches(taken, self.limits.put):
            with self._change() as change:
                for record in batch:
                    self._put(record, change)
        return refused

    def _put(self, record: Record, change: int) -> None:
        entry, data = record.entry, np.ascontiguousarray(record.vector, dtype="<f4").tobytes()
        values = (entry.key, entry.etag, entry.size, entry.modified, data, change)
        if self._file.run(f"{SET} WHERE key = ?", (*values, entry.key)).rowcount:
            return
        if not self._file.run(f"{SET} WHERE slot = {FREE}", values).rowcount:
            self._file.run(INSERT, values)

    def delete(self, keys: Iterable[str]) -> None:
        """See `Index.delete`; the slots stay, empty, for pictures to come."""
        for batch in batches(keys, self.limits.put):
            with self._change() as change:
                for key in batch:
                    self._file.run(f"{SET} WHERE key = ?", (None, None, None, None, None, change, key))

    def get(self, keys: Iterable[str]) -> dict[str, Entry]:
        """See `Index.get`."""
        with self._file.reading():
            rows = [self._file.run(f"{ENTRY} FROM picture WHERE key = ?", (key,)).fetchone() for key in keys]
        return {row[0]: Entry(*row) for row in rows if row}

    def vector(self, key: str) -> Vector | None:
        """See `Index.vector`."""
        rows = self._file.rows("SELECT vector FROM picture WHERE key = ?", (key,))
        return np.frombuffer(rows[0][0], dtype="<f4") if rows else None

    def etags(self, prefix: str = "") -> dict[str, str]:
        """The ETag of every entry whose key begins with `prefix`, by key."""
        statement = "SELECT key, etag FROM picture WHERE key >= ? AND key < ?"
        return dict(self._file.rows(statement, (prefix, prefix + LAST)))

    def vectors(self, keys: Iterable[str]) -> Iterator[tuple[str, Vector]]:
        """The vectors of those keys that are indexed, in order, of one state of the file."""
        with self._file.reading():
            for key in keys:
                row = self._file.run("SELECT vector FROM picture WHERE key = ?", (key,)).fetchone()
                if row:
                    yield key, np.frombuffer(row[0], dtype="<f4")

    def page(self, token: str | None = None, segment: int = 0, segments: int = 1) -> Page:
        """See `Index.page`."""
        statement = (
            f"{ENTRY}, slot FROM picture "
            "WHERE slot > ? AND slot % ? = ? AND key IS NOT NULL ORDER BY slot LIMIT ?"
        )
        rows = self._file.rows(statement, (int(token or 0), segments, segment, self.limits.page))
        following = str(rows[-1][-1]) if len(rows) == self.limits.page else None
        return Page(tuple(Entry(*row[:-1]) for row in rows), following)

    def query(self, vector: Vector, limit: int, prefix: str = "") -> list[Match]:
        """See `Index.query`; exact."""
        with self._file.reading():
            self._refresh()
            slots = self._with_prefix(prefix) if prefix else None
            candidates = self._rows.candidates(directed(vector), limit, NEAR, slots)
            return best(self._scored(candidates, vector), limit)

    def _refresh(self) -> None:
        """Read what has changed, by this process or another, since the last search."""
        (change,) = self._file.run(CHANGE).fetchone()
        if change != self._rows.change:
            changed = "SELECT slot, vector FROM picture WHERE change > ? ORDER BY slot"
            self._rows.take(self._file.run(changed, (self._rows.change,)))
            self._rows.change = change

    def _with_prefix(self, prefix: str) -> NDArray[np.int64]:
        statement = "SELECT slot FROM picture WHERE key >= ? AND key < ? ORDER BY slot"
        rows = self._file.run(statement, (prefix, prefix + LAST))
        return np.fromiter((row[0] for row in rows), dtype=np.int64)

    def _scored(self, slots: NDArray[np.int64], vector: Vector) -> Iterator[Match]:
        for slot in slots.tolist():
            *row, data = self._file.run(f"{ENTRY}, vector FROM picture WHERE slot = ?", (slot,)).fetchone()
            yield Match(Entry(*row), rounded_score(vector, np.frombuffer(data, dtype="<f4")))

    @contextmanager
    def _change(self) -> Iterator[int]:
        """One transaction; its number in the file's count of changes."""
        with self._file.writing():
            change = int(self._file.run(CHANGE).fetchone()[0]) + 1
            yield change
            self._file.run("UPDATE about SET value = ? WHERE name = 'change'", (change,))
