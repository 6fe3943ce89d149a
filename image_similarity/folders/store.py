"""The files of this machine as the objects of a store: a key is a file's URL, an ETag its size and time."""

import os
import stat
import time
from datetime import UTC, datetime
from urllib.parse import quote, unquote_to_bytes

from image_similarity.catalogue.index import TransientError
from image_similarity.catalogue.objects import ObjectState, Reading, UnusableObject
from image_similarity.folders import files

SCHEME = "file://"
UNREAD = "unread"
"""In place of the ETag of a file that may not be read: never the one of a file that may."""
TICK_SECONDS = 0.05
"""Two writes that are closer to each other may leave one time. Kernels stamp files by ticks of 1 to 10 ms."""


def key_of(path: str | os.PathLike[str]) -> str:
    """A path's key. Paths are bytes, so each that is no plain character of a URL is written as %XX."""
    return SCHEME + quote(os.fsencode(path))


def path_of(key: str) -> str:
    """The path of `key_of`."""
    return os.fsdecode(unquote_to_bytes(key.removeprefix(SCHEME)))


def prefix_of(folder: str) -> str:
    """What the keys of all files in a folder begin with."""
    return key_of(os.path.join(folder, ""))  # noqa: PTH118 - pathlib drops what makes it a folder


def state_of(key: str, status: os.stat_result, *, readable: bool) -> ObjectState:
    """A file's state, from what the system says of it."""
    etag = f"{status.st_size:x}-{status.st_mtime_ns:x}" if readable else UNREAD
    modified = time_of(status.st_mtime).isoformat(timespec="seconds")
    return ObjectState(key, etag, status.st_size, modified.replace("+00:00", "Z"))


def time_of(seconds: float) -> datetime:
    """A file's time, or the one nearest to it that Python has: file systems keep those of farther years."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return (datetime.max if seconds > 0 else datetime.min).replace(tzinfo=UTC)


class FileStore:
    """See `catalogue.objects.Objects`. Any number of threads may call it."""

    def look(self, key: str) -> ObjectState | None:
        """See `Objects.look`: of a regular file; anything else is none."""
        path = path_of(key)
        try:
            status = os.stat(path)  # noqa: PTH116 - a hundred thousand of them
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return state_of(key, status, readable=os.access(path, os.R_OK))

    def read(self, key: str, known_etag: str | None = None) -> Reading | None:
        """See `Objects.read`."""
        state = self.look(key)
        if state is None:
            return None
        if state.etag == known_etag:
            return Reading(state, None)
        path = path_of(key)
        _let_time_pass(path)
        try:
            return Reading(state, files.read(path))
        except files.UnreadablePicture as error:
            if isinstance(error.__cause__, OSError) and state.etag != UNREAD:  # a disk, or a network's
                raise TransientError(f"{path!a}: {error}") from error
            raise UnusableObject(state, str(error)) from error


def _let_time_pass(path: str) -> None:
    """Wait until what is written into the file from now on gives it another time than it has."""
    try:
        age = time.time() - os.stat(path).st_mtime  # noqa: PTH116 - as above
    except OSError:  # reading it says so
        return
    if 0 <= age < TICK_SECONDS:
        time.sleep(TICK_SECONDS - age)
