"""Few fetches at once from one server: none may be flooded from here, or tie up all our fetches."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv6Address, IPv6Network

from image_similarity.inference.addresses import Address
from image_similarity.inference.sources.deadline import Deadline

AT_ONCE = 4
IN_LINE = 12
"""That wait for one server; with those at work half of what a machine of two cores fetches at once."""
LOOK_SECONDS = 0.1
"""After which a waiting fetch checks whether its request has been answered meanwhile."""
NETWORK_BITS = 64
"""Of an IPv6 address: whoever has one has its whole network."""


class CrowdedError(Exception):
    """Too many fetches wait for this server already."""


class Places:
    """Counts the fetches of each server, by name and by address. For threads."""

    def __init__(self, at_once: int = AT_ONCE, in_line: int = IN_LINE) -> None:
        self._at_once, self._in_line = at_once, in_line
        self._changed = threading.Condition()
        self._working: dict[object, int] = {}
        self._waiting: dict[object, int] = {}

    @contextmanager
    def at(self, server: str | Address, deadline: Deadline) -> Iterator[None]:
        """Hold one of the server's places while the block runs; wait for it as long as the deadline allows.

        A thread asks for a name first and for an address with it, so that nobody waits in a ring.

        Raises:
            CrowdedError: too many wait.
            DeadlineExceededError: none was free in time.
        """
        key = _key(server)
        self._take(key, deadline)
        try:
            yield
        finally:
            with self._changed:
                _add(self._working, key, -1)
                self._changed.notify_all()

    def _take(self, key: object, deadline: Deadline) -> None:
        with self._changed:
            if self._working.get(key, 0) >= self._at_once:
                if self._waiting.get(key, 0) >= self._in_line:
                    raise CrowdedError
                _add(self._waiting, key, 1)
                try:
                    while self._working.get(key, 0) >= self._at_once:
                        self._changed.wait(min(deadline.remaining(), LOOK_SECONDS))
                finally:
                    _add(self._waiting, key, -1)
            _add(self._working, key, 1)


def _key(server: str | Address) -> object:
    if isinstance(server, IPv6Address):
        return IPv6Network((server, NETWORK_BITS), strict=False)
    return server.removesuffix(".") if isinstance(server, str) else server


def _add(counts: dict[object, int], key: object, number: int) -> None:
    counts[key] = counts.get(key, 0) + number
    if not counts[key]:
        del counts[key]
