"""The segments of a JPEG file, as ITU-T T.81 annex B lays them out."""

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from image_similarity.inference.image.broken import BrokenImageError

MAX_SEGMENTS = 2_048
"""Enough for an Exif, a colour profile of 255 segments and 20 MiB of XMP in pieces of 64 kB."""
SOI, EOI, SOS = 0xD8, 0xD9, 0xDA
DHT, DQT, DRI, DNL = 0xC4, 0xDB, 0xDD, 0xDC
APP0, APP1, APP14 = 0xE0, 0xE1, 0xEE
COMMENT = 0xFE
BASELINE, EXTENDED, PROGRESSIVE = 0xC0, 0xC1, 0xC2
KNOWN = frozenset(
    {BASELINE, EXTENDED, PROGRESSIVE, SOS, DHT, DQT, DRI, DNL, COMMENT, *range(APP0, APP0 + 16)}
)
TEMPORARY = 0x01
"""Reserved for arithmetic coding (table B.1); it has no length, and no picture has it."""
# Fill bytes FF may come before a marker. In a scan's data, FF 00 is a byte FF, and FF D0 to FF D7 are
# restarts; between segments, libjpeg skips both.
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
CODINGS = {
    **dict.fromkeys((0xC3, 0xC7, 0xCB, 0xCF), "a lossless JPEG"),
    **dict.fromkeys((0xC5, 0xC6, 0xCD, 0xCE, 0xDE, 0xDF), "a hierarchical JPEG"),
    **dict.fromkeys((0xC9, 0xCA, 0xCC), "a JPEG with arithmetic coding"),
    **dict.fromkeys((0xF7, 0xF8), "a JPEG-LS file"),
}
"""Codings that no camera writes (section B.1.1, T.87). libjpeg's arithmetic decoder goes on at full cost when
its data has ended: 12 kB kept a processor busy for a minute and a half."""


class Segment(NamedTuple):
    """One segment.

    Attributes:
        marker: the second byte of its marker.
        content: what follows the length.
        coded: the entropy-coded data that follows a scan's header, restart markers included.
    """

    marker: int
    content: bytes = b""
    coded: bytes = b""

    @property
    def parts(self) -> tuple[bytes, bytes, bytes]:
        """The bytes of the segment: marker and length, content, data."""
        return struct.pack(">BBH", 0xFF, self.marker, len(self.content) + 2), self.content, self.coded


def segments(data: bytes) -> Iterator[Segment]:
    """Split the file into segments, up to the end marker or to where it breaks off.

    Raises:
        BrokenImageError: it has more segments than any program writes, one that no baseline or
            progressive file has, or one with an impossible length.
    """
    position = 2
    for _ in range(MAX_SEGMENTS):
        match = MARKER.search(data, position)
        if match is None:
            return
        position = match.end()
        marker = data[position - 1]
        if marker == EOI:
            yield Segment(EOI)
            return
        if marker == TEMPORARY:
            continue
        _check_kind(marker)
        end = position + _length(data, position, marker)
        if end > len(data):
            return
        content = data[position + 2 : end]
        position = end
        if marker == SOS:
            following = MARKER.search(data, end)
            position = following.start() if following else len(data)
        yield Segment(marker, content, data[end:position] if marker == SOS else b"")
    raise BrokenImageError(f"the JPEG has more than {MAX_SEGMENTS} segments; save it again.")


def _check_kind(marker: int) -> None:
    if marker in CODINGS:
        raise BrokenImageError(
            f"{CODINGS[marker]} is not read; save it as a baseline or progressive JPEG, or as PNG."
        )
    if marker not in KNOWN:
        raise BrokenImageError(f"the JPEG has a segment FF{marker:02X}, which no picture has; save it again.")


def _length(data: bytes, position: int, marker: int) -> int:
    length = int.from_bytes(data[position : position + 2])
    if length < 2 and position + 2 <= len(data):
        raise BrokenImageError(
            f"the JPEG's segment FF{marker:02X} states a length of {length}, less than the minimum, 2; "
            "save it again."
        )
    return max(length, 2)
