"""Content codings: gzip and deflate are decoded in bounded memory; values that are no coding are ignored."""

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

PIECE_BYTES = 64 * 1024
MAX_MEMBERS = 2000
"""Of one gzip file; tools that write many members make each about 64 kB."""
MAX_CODINGS = 2
GZIP = frozenset({"gzip", "x-gzip"})
UNREADABLE = frozenset({
    *("br", "zstd", "compress", "x-compress", "dcb", "dcz", "exi", "pack200-gzip", "aes128gcm", "sdch"),
    *("bzip2", "x-bzip2", "bzip", "x-bzip", "xz", "lzma", "x-lzma", "lz4", "snappy", "x-snappy", "lzip"),
})  # fmt: skip
"""Real codings, of RFC 9110's registry and of tools. All other values are none: objects and files are stored
with `aws-chunked`, `utf-8`, `binary`, `none` and the like, and contain the file as it is."""
_GZIP_BITS, _ZLIB_BITS, _RAW_BITS = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS


class UnreadableCodingError(Exception):
    """A coding that is not decoded here. The argument is its name."""


class WrongCodingError(Exception):
    """The data does not have the coding that it is declared with. The argument is the coding's name."""


class CutOffError(Exception):
    """The data ends in the middle of its coding. The argument is the coding's name."""


def undone(parts: Iterable[bytes], codings: Sequence[str], check: Callable[[], None]) -> Iterator[bytes]:
    """Decode the parts, piece by piece.

    Args:
        parts: the data.
        codings: in lower case, in the order in which they were applied.
        check: called for each piece; raises an error when decoding has cost too much.

    Raises:
        UnreadableCodingError: before anything is read.
        WrongCodingError, CutOffError: while reading.
    """
    real = [coding for coding in codings if coding in GZIP or coding == "deflate" or coding in UNREADABLE]
    for coding in real:
        if coding in UNREADABLE:
            raise UnreadableCodingError(coding)
    if len(real) > MAX_CODINGS:
        raise UnreadableCodingError(", ".join(real))
    data: Iterator[bytes] = iter(parts)
    for coding in reversed(real):
        data = _ungzipped(data, coding, check) if coding in GZIP else _inflated(data, coding, check)
    return data


def _ungzipped(parts: Iterable[bytes], coding: str, check: Callable[[], None]) -> Iterator[bytes]:
    """Decode one member after the other (RFC 1952 section 2.2); what follows the last one is ignored."""
    inflater: _Decompress | None = None
    members, rest = 0, b""
    for part in parts:
        data = rest + part
        rest = b""
        while data:
            if inflater is None:
                if members and not data.startswith(b"\x1f\x8b"):
                    if data == b"\x1f":
                        rest = data  # half of the next member's signature
                        break
                    return
                inflater, members = zlib.decompressobj(_GZIP_BITS), members + 1
                if members > MAX_MEMBERS:
                    raise WrongCodingError(coding)
            yield from _pieces(inflater, data, coding, check)
            data = inflater.unused_data
            if inflater.eof:
                inflater = None
    if inflater is not None:
        raise CutOffError(coding)


def _inflated(parts: Iterable[bytes], coding: str, check: Callable[[], None]) -> Iterator[bytes]:
    """Decode deflate with zlib's wrapper, as the standard has it, or without, as many servers send it."""
    inflater: _Decompress | None = None
    first = b""
    for part in parts:
        data = part
        if inflater is None:
            first += part
            if len(first) < 2:
                continue
            wrapped = first[0] & 0x0F == zlib.DEFLATED and int.from_bytes(first[:2]) % 31 == 0
            inflater, data = zlib.decompressobj(_ZLIB_BITS if wrapped else _RAW_BITS), first
        yield from _pieces(inflater, data, coding, check)
        if inflater.eof:
            return
    if inflater is not None or first:
        raise CutOffError(coding)


def _pieces(inflater: "_Decompress", data: bytes, coding: str, check: Callable[[], None]) -> Iterator[bytes]:
    """The decoded data in pieces; after a full piece there may be more to come."""
    piece = b""
    while not inflater.eof and (data or len(piece) == PIECE_BYTES):
        check()
        try:
            piece = inflater.decompress(data, PIECE_BYTES)
        except zlib.error as error:
            raise WrongCodingError(coding) from error
        data = inflater.unconsumed_tail
        if piece:
            yield piece
