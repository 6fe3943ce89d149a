"""What reaches a terminal. Names of files and messages of servers are written by others."""

import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

MAX_MESSAGE = 500
SPACES = frozenset({"\u00a0", "\u202f", "\u3000"})
"""Not printable by Python's rule, and harmless: macOS puts them into the names of screenshots."""
FIRST_BYTE, LAST_BYTE = 0xDC80, 0xDCFF


def printable(text: str) -> str:
    r"""Escape what would not be shown as itself.

    That is: control characters (which may write a title, a clipboard or another line), those that turn the
    direction of text, invisible ones, and bytes of a file's name that are not UTF-8 (`\xe9`).
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in SPACES else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    code = ord(one)
    if FIRST_BYTE <= code <= LAST_BYTE:  # PEP 383: a byte that could not be decoded
        return f"\\x{code - 0xDC00:02x}"
    if one in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[one]
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def counted(number: int, name: str) -> str:
    """A number with the name of what is counted: 1 picture, 2 pictures."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def shortened(text: str) -> str:
    """A server's text, no longer than a message is."""
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]}..."


@cache
def stderr() -> "Console":
    """The console of progress and failures."""
    from rich.console import Console  # not before it is needed: --help and --version start fast

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def tell(message: str) -> None:
    """Write one line to stderr, around the progress that may stand there."""
    stderr().print(printable(message), markup=False)


def write(line: str) -> None:
    """Write one line of results to stdout."""
    sys.stdout.write(f"{printable(line)}\n")
