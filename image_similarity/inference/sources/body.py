"""The body of an HTTP/1 response (RFC 9112 sections 6 and 7), whatever its framing and codings."""

import re
from collections.abc import Iterable, Iterator

from image_similarity.inference.sources.answer import (
    MAX_HEAD_LINES,
    AmbiguousHeaderError,
    EndlessHeadError,
    Head,
    MalformedAnswerError,
    Reader,
)
from image_similarity.inference.sources.budget import Budget, TooCostlyError
from image_similarity.inference.sources.coding import UnreadableCodingError, undone
from image_similarity.inference.sources.collect import OverLimitError

PIECE_BYTES = 64 * 1024
MAX_LINE_BYTES = 64 * 1024
FREE_CHUNKS = 100_000
BYTES_A_CHUNK = 64
"""On average, after the first FREE_CHUNKS: each chunk costs a line of its own."""
CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,16})[ \t]*(?:;.*)?", re.DOTALL)
DIGITS = re.compile(r"[0-9]+", re.ASCII)
MAX_DIGITS = 19
"""Of a length: a longer number is over every limit in any case."""
CHUNKED = "chunked"


class BreaksOffError(Exception):
    """The connection ends before the body does."""


def body_of(head: Head, reader: Reader, budget: Budget, max_bytes: int) -> Iterator[bytes]:
    """The body in pieces, without framing and codings.

    Raises:
        AmbiguousHeaderError, UnreadableCodingError: before anything is read.
        OverLimitError: more than max_bytes are declared, or arrive.
        BreaksOffError, MalformedAnswerError, WrongCodingError, CutOffError, TooCostlyError: while reading.
    """
    transfer = [coding.partition(";")[0].strip() for coding in head.members("transfer-encoding")]
    declared = length(head)
    if CHUNKED in transfer:
        if transfer.index(CHUNKED) < len(transfer) - 1:
            raise UnreadableCodingError(", ".join(transfer))
        framed = _chunks(reader)
    elif declared is None:
        framed = _until_the_end(reader)
    elif declared > max_bytes:
        raise OverLimitError
    else:
        framed = _counted(reader, declared)
    codings = [*head.members("content-encoding"), *(coding for coding in transfer if coding != CHUNKED)]
    return undone(_capped(framed, max_bytes), codings, budget.check_processor)


def length(head: Head) -> int | None:
    """The Content-Length; None where it is missing or no number, as browsers read it.

    Raises:
        AmbiguousHeaderError: there are two.
    """
    members = set(head.members("content-length"))
    if len(members) > 1:
        raise AmbiguousHeaderError("Content-Length")
    text = members.pop() if members else ""
    return int(text[:MAX_DIGITS]) if DIGITS.fullmatch(text) else None


def _until_the_end(reader: Reader) -> Iterator[bytes]:
    return iter(lambda: reader.piece(PIECE_BYTES), b"")


def _counted(reader: Reader, left: int) -> Iterator[bytes]:
    while left:
        piece = reader.piece(min(left, PIECE_BYTES))
        if not piece:
            raise BreaksOffError
        left -= len(piece)
        yield piece


def _chunks(reader: Reader) -> Iterator[bytes]:
    """A connection that ends between two chunks ends the body too: decoding shows whether it is whole."""
    chunks = total = 0
    while (line := _line(reader)) is not None:
        match = CHUNK_SIZE.fullmatch(line)
        if match is None:
            raise MalformedAnswerError
        size = int(match[1], 16)
        if not size:
            return _pass_trailers(reader)
        yield from _counted(reader, size)
        chunks, total = chunks + 1, total + size
        if chunks > FREE_CHUNKS + total // BYTES_A_CHUNK:
            raise TooCostlyError
        if _line(reader):
            raise MalformedAnswerError


def _pass_trailers(reader: Reader) -> None:
    for _ in range(MAX_HEAD_LINES):
        if not _line(reader):
            return
    raise EndlessHeadError


def _line(reader: Reader) -> bytes | None:
    try:
        return reader.line(MAX_LINE_BYTES)
    except MalformedAnswerError as error:
        raise BreaksOffError from error


def _capped(parts: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    received = 0
    for part in parts:
        received += len(part)
        if received > max_bytes:
            raise OverLimitError
        yield part
