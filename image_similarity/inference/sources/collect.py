"""Parts become one file, up to a limit."""

from collections.abc import Iterable


class OverLimitError(Exception):
    """The parts have more bytes than the limit."""


def collect(parts: Iterable[bytes], max_bytes: int) -> bytes:
    """Join the parts.

    Raises:
        OverLimitError: there are more than max_bytes; the rest is not read.
    """
    received: list[bytes] = []
    size = 0
    try:
        for part in parts:
            received.append(part)
            size += len(part)
            if size > max_bytes:
                raise OverLimitError
        return b"".join(received)
    finally:
        # An error's traceback keeps this frame alive as long as anybody keeps the error.
        received.clear()
