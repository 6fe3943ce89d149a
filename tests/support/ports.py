"""Free ports for servers under test."""

import os
import socket
import sys
from contextlib import suppress
from itertools import count

FIRST, PORTS = 20_000, 12_000
"""Below those that Linux gives to connections, and to servers that ask for any port: what is free here at one
moment is given to nobody at the next."""
_next = count(os.getpid())
_kept: list[socket.socket] = []


def free_port() -> int:
    """A TCP port on loopback that nothing listens on, and that no other process of the tests is given."""
    for _ in range(PORTS):
        port = FIRST + next(_next) % PORTS
        with suppress(OSError):  # it is taken
            _claim(port)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
            return port
    raise OSError(f"no port from {FIRST} on is free")


def _claim(port: int) -> None:
    """Hold the port's number until this process ends: two test processes may ask at the same moment.

    Raises:
        OSError: another one has it.
    """
    if sys.platform == "linux":  # its sockets may have names that are no files
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0port-of-a-test-{port}")
        except OSError:
            name.close()
            raise
        _kept.append(name)
