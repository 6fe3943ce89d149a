"""A ledger in a SQLite file, which may be the embedded index's own; or in memory."""

import json
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path

from image_similarity.catalogue.ledger import (
    NEWEST,
    Failure,
    SyncState,
    completes,
    state_from_json,
    state_to_json,
)
from image_similarity.catalogue.sqlite_file import SqliteFile

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS failure (
        key TEXT PRIMARY KEY, etag TEXT, message TEXT, reader TEXT, at REAL
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS failure_at ON failure (at)",
    "CREATE TABLE IF NOT EXISTS sync (name TEXT PRIMARY KEY, state TEXT) WITHOUT ROWID",
)
FAILURE = "SELECT key, etag, message, reader, at FROM failure"
PAGE = 1000
MEMORY = ":memory:"


class FileLedger:
    """See `Ledger`. The default is one in memory."""

    def __init__(self, path: Path | str = MEMORY) -> None:
        self._file = SqliteFile(path, SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def fail(self, failures: Iterable[Failure]) -> None:
        """See `Ledger.fail`."""
        with self._file.writing():
            for failure in failures:
                self._file.run("INSERT OR REPLACE INTO failure VALUES (?, ?, ?, ?, ?)", astuple(failure))

    def forget(self, keys: Iterable[str]) -> None:
        """See `Ledger.forget`."""
        with self._file.writing():
            for key in keys:
                self._file.run("DELETE FROM failure WHERE key = ?", (key,))

    def known(self, keys: Iterable[str]) -> dict[str, Failure]:
        """See `Ledger.known`."""
        with self._file.reading():
            rows = [self._file.run(f"{FAILURE} WHERE key = ?", (key,)).fetchone() for key in keys]
        return {row[0]: Failure(*row) for row in rows if row}

    def newest(self, limit: int = NEWEST) -> list[Failure]:
        """See `Ledger.newest`."""
        return [
            Failure(*row) for row in self._file.rows(f"{FAILURE} ORDER BY at DESC, key LIMIT ?", (limit,))
        ]

    def failed(self) -> int:
        """See `Ledger.failed`."""
        return int(self._file.rows("SELECT count(*) FROM failure")[0][0])

    def page(self, token: str = "") -> tuple[list[Failure], str]:
        """See `Ledger.page`."""
        rows = self._file.rows(f"{FAILURE} WHERE key > ? ORDER BY key LIMIT ?", (token, PAGE))
        return [Failure(*row) for row in rows], rows[-1][0] if len(rows) == PAGE else ""

    def sync(self) -> SyncState | None:
        """See `Ledger.sync`."""
        return self._state("last")

    def completed(self) -> SyncState | None:
        """See `Ledger.completed`."""
        return self._state("completed")

    def save(self, state: SyncState, instead_of: SyncState | None) -> bool:
        """See `Ledger.save`."""
        text = json.dumps(state_to_json(state))
        with self._file.writing():
            if self.sync() != instead_of:
                return False
            self._file.run("INSERT OR REPLACE INTO sync VALUES ('last', ?)", (text,))
            if completes(state):
                self._file.run("INSERT OR REPLACE INTO sync VALUES ('completed', ?)", (text,))
        return True

    def _state(self, name: str) -> SyncState | None:
        rows = self._file.rows("SELECT state FROM sync WHERE name = ?", (name,))
        return state_from_json(json.loads(rows[0][0])) if rows else None
