"""The folders that an index follows, kept in its own file."""

from collections.abc import Iterable
from pathlib import Path

from image_similarity.catalogue.sqlite_file import SqliteFile
from image_similarity.folders.store import path_of, prefix_of

SCHEMA = ("CREATE TABLE IF NOT EXISTS folder (prefix TEXT PRIMARY KEY) WITHOUT ROWID",)


class Roots:
    """Folders by the prefixes of their keys."""

    def __init__(self, path: Path) -> None:
        self._file = SqliteFile(path, SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def add(self, folder: str) -> None:
        """Follow a folder, which is given by its real path."""
        if prefix_of(folder) not in self.prefixes():
            with self._file.writing():
                self._file.run("INSERT OR IGNORE INTO folder VALUES (?)", (prefix_of(folder),))

    def drop(self, prefix: str) -> None:
        """Follow a folder and those in it no longer."""
        gone = [one for one in self.prefixes() if one.startswith(prefix)]
        with self._file.writing():
            for one in gone:
                self._file.run("DELETE FROM folder WHERE prefix = ?", (one,))

    def prefixes(self) -> list[str]:
        """Of all folders, in order."""
        return [row[0] for row in self._file.rows("SELECT prefix FROM folder ORDER BY prefix")]

    def folders(self) -> list[str]:
        """The folders' paths, without those that lie in others."""
        return [str(Path(path_of(prefix))) for prefix in outermost(self.prefixes())]


def outermost(prefixes: Iterable[str]) -> list[str]:
    """Those of folders that don't lie in others, each once, in order."""
    outer: list[str] = []
    for prefix in sorted(prefixes):
        if not outer or not prefix.startswith(outer[-1]):
            outer.append(prefix)
    return outer
