"""The only thing read from Exif: which way up the picture is."""

import struct

ORIENTATION = 0x0112
NUMBERS = {3: "H", 4: "I", 8: "h", 9: "i"}
"""TIFF's integer types, and how `struct` reads each."""
ENTRY_BYTES = 12
UPRIGHT = 1
PREFIX = b"Exif\0\0"
"""Precedes the block in a JPEG. PNG and WebP need no prefix, but some programs write it there too."""


def orientation(tiff: bytes) -> int:
    """The orientation in a TIFF-structured Exif block (CIPA DC-008 section 4.6.4, tag 0x0112).

    Read by hand: a reader of all tags would let 5000 entries point at the same 64 kB each. The standard
    demands a 16-bit number; a 32-bit one is accepted too, as most readers do.

    Returns:
        1 to 8; 1 (upright) where the tag is missing or the block is malformed.
    """
    if tiff.startswith(PREFIX):
        tiff = tiff[len(PREFIX) :]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (directory,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, directory)
        for index in range(count):
            entry = directory + 2 + index * ENTRY_BYTES
            tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, entry)
            if tag == ORIENTATION:
                return _turn(tiff, order, entry + 8, kind) if values == 1 else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def _turn(tiff: bytes, order: str, position: int, kind: int) -> int:
    layout = NUMBERS.get(kind)
    if layout is None:
        return UPRIGHT
    (value,) = struct.unpack_from(f"{order}{layout}", tiff, position)
    return value if 1 <= value <= 8 else UPRIGHT
