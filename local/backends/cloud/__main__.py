"""`python -m local.backends.cloud PORT`: the local cloud in a process of its own, until it is killed."""

import contextlib
import os
import sys

IN_MEMORY_BYTES = 64 * 1024
"""Larger objects wait in unnamed temporary files: a folder of photographs need not fit into memory."""


def main(port: int) -> None:
    """Serve on a port of the loopback interface."""
    os.environ.setdefault("MOTO_S3_DEFAULT_KEY_BUFFER_SIZE", str(IN_MEMORY_BYTES))
    _allow_files()
    from local.backends.cloud.server import server  # moto takes a second, and reads its settings
    from local.backends.cloud.vectors import Vectors

    server(Vectors(), port).serve_forever()


def _allow_files() -> None:
    """As many open files as this user may have: each object that is not in memory is one."""
    with contextlib.suppress(ImportError):  # another system than those of POSIX
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(OSError, ValueError):  # macOS names a limit that it does not grant
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main(int(sys.argv[1]))
