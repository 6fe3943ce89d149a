"""The head of an HTTP/1 response (RFC 9112), read as leniently as browsers read it."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

MAX_HEAD_BYTES = 128 * 1024
"""Of all heads of a response, including those of status 1xx before it."""
MAX_HEAD_LINES = 256
STATUS_LINE = re.compile(rb"HTTP/1\.[0-9][ \t]+([1-9][0-9]{2})(?:[ \t][^\r\n]*)?")
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
SWITCHING = 101


class MalformedAnswerError(Exception):
    """What arrived is no HTTP response, or ends before it is complete."""


class EndlessHeadError(Exception):
    """The head has more lines or bytes than any server needs."""


class AmbiguousHeaderError(Exception):
    """A header that may occur once occurs more often, with different values. The argument is its name."""


class Reader:
    """Reads a connection by lines and by pieces."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Take more bytes from `read`, which returns none at the end."""
        self._read = read
        self._buffer = bytearray()
        self._start = 0

    def line(self, max_bytes: int) -> bytes | None:
        """The next line without its end (LF, or CR and LF); None at the connection's end.

        Raises:
            EndlessHeadError: it has more than max_bytes.
            MalformedAnswerError: the connection ends within it.
        """
        scanned = 0
        while (end := self._buffer.find(b"\n", self._start + scanned, self._start + max_bytes)) < 0:
            scanned = len(self._buffer) - self._start
            if scanned >= max_bytes:
                raise EndlessHeadError
            if not self._fill():
                if scanned:
                    raise MalformedAnswerError
                return None
        line = bytes(self._buffer[self._start : end])
        self._start = end + 1
        return line.removesuffix(b"\r")

    def piece(self, max_bytes: int) -> bytes:
        """What has arrived, at most max_bytes; nothing at the end of the connection."""
        if self._start == len(self._buffer) and not self._fill():
            return b""
        end = min(len(self._buffer), self._start + max_bytes)
        data = bytes(self._buffer[self._start : end])
        self._start = end
        return data

    def _fill(self) -> bool:
        data = self._read()
        del self._buffer[: self._start]
        self._start = 0
        self._buffer += data
        return bool(data)


@dataclass(frozen=True)
class Head:
    """A status and its headers.

    Attributes:
        status: the status code.
        fields: names in lower case, each with its values in order; bytes as Latin-1.
    """

    status: int
    fields: dict[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The value of a header that may occur once; empty where it is missing. Equal values count as one.

        Raises:
            AmbiguousHeaderError: it has different values.
        """
        values = set(self.fields.get(name, []))
        if len(values) > 1:
            raise AmbiguousHeaderError(name.title())
        return values.pop() if values else ""

    def members(self, name: str) -> list[str]:
        """The members of a header that is a list, in lower case; equal lines count as one."""
        lines = dict.fromkeys(self.fields.get(name, []))
        return [member for line in lines for part in line.split(",") if (member := part.strip().lower())]


def read_head(reader: Reader, new_answer: Callable[[], None]) -> Head:
    """The head of the final answer; those of status 1xx are read past (RFC 9110 section 15.2).

    Args:
        reader: at the start of the answer.
        new_answer: called before each head: how long the server takes between them does not count.

    Raises:
        MalformedAnswerError, EndlessHeadError
    """
    left, lines = MAX_HEAD_BYTES, MAX_HEAD_LINES
    while True:
        new_answer()
        head = Head(_status(reader.line(left)))
        name = ""
        while line := reader.line(left):
            left, lines = left - len(line) - 1, lines - 1
            if left <= 0 or lines <= 0:
                raise EndlessHeadError
            name = _note(line, name, head.fields)
        if line is None:
            raise MalformedAnswerError
        left, lines = left - 1, lines - 1
        if head.status >= 200 or head.status == SWITCHING:
            return head
        if left <= 0 or lines <= 0:
            raise EndlessHeadError


def _status(line: bytes | None) -> int:
    match = STATUS_LINE.fullmatch(line) if line is not None else None
    if match is None:
        raise MalformedAnswerError
    return int(match[1])


def _note(line: bytes, previous: str, fields: dict[str, list[str]]) -> str:
    """Add one line to the fields, and return its header's name, or an empty string for a line that is none.

    A line that starts with a space continues the one before (obsolete folding, RFC 9112 section 5.2). Lines
    without a colon or with an invalid name are ignored, as browsers do.
    """
    if line[:1] in b" \t":
        if previous:
            fields[previous][-1] = f"{fields[previous][-1]} {_text(line)}".strip()
        return previous
    raw, colon, value = line.partition(b":")
    raw = raw.rstrip(b" \t")
    if not colon or not NAME.fullmatch(raw):
        return ""
    name = raw.decode("ascii").lower()
    fields.setdefault(name, []).append(_text(value))
    return name


def _text(value: bytes) -> str:
    return value.strip(b" \t\r").decode("latin-1")
