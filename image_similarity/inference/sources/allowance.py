"""How many bytes all files of one request may have together."""

import threading
from collections.abc import Iterable, Iterator


class AllowanceUsedUpError(Exception):
    """The files of the request have more bytes together than they may have."""


class Allowance:
    """Shared by all fetches of one request. Safe to use from many threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._left = max_bytes
        self._lock = threading.Lock()

    def counted(self, parts: Iterable[bytes], declared: int = 0) -> Iterator[bytes]:
        """Pass the parts of one file on and count them.

        Args:
            parts: the file.
            declared: how many bytes it should have. They are reserved before the first part is read: a file
                for which there is no room costs nothing. 0 where it is not known.

        Raises:
            AllowanceUsedUpError: there is no room, for the declared bytes or for a part.
        """
        reserved = received = 0
        try:
            self._reserve(declared)
            reserved = declared
            for part in parts:
                received += len(part)
                if received > reserved:
                    self._reserve(received - reserved)
                    reserved = received
                yield part
        finally:
            # What was received counts, even of a file that is refused: this bounds the traffic too.
            self._give_back(reserved - min(received, reserved))

    def _reserve(self, size: int) -> None:
        with self._lock:
            if size > self._left:
                raise AllowanceUsedUpError
            self._left -= size

    def _give_back(self, size: int) -> None:
        with self._lock:
            self._left += size
