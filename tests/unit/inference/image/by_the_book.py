"""Independent judges of what our writers make: parsers written from the standards alone.

They accept what is written to the letter, and fail at anything else.
"""

import re
import struct

from image_similarity.inference.image.jpeg_segments import Segment
from image_similarity.inference.image.webp_chunks import Chunk

SOS = 0xDA
ENTROPY = re.compile(rb"(?:[^\xff]|\xff+(?:\x00|[\xd0-\xd7]))*")


def jpeg(data: bytes) -> list[Segment]:
    """The segments between start and end (ITU-T T.81 annex B)."""
    assert data[:2] == b"\xff\xd8"
    position, found = 2, []
    while data[position:] != b"\xff\xd9":
        assert data[position] == 0xFF
        marker, length = struct.unpack_from(">BH", data, position + 1)
        assert length >= 2
        content = data[position + 4 : position + 2 + length]
        assert len(content) == length - 2
        position += 2 + length
        start = position
        if marker == SOS:
            match = ENTROPY.match(data, position)
            assert match
            position = match.end()
        found.append(Segment(marker, content, data[start:position]))
    return found


def webp(data: bytes) -> list[Chunk]:
    """The chunks of a RIFF file that ends where it says (RFC 9649 section 2.3)."""
    riff, size, form = struct.unpack_from("<4sI4s", data)
    assert (riff, size, form) == (b"RIFF", len(data) - 8, b"WEBP")
    position, found = 12, []
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        end = position + 8 + length
        assert end <= len(data)
        found.append(Chunk(kind, data[position + 8 : end]))
        assert data[end : end + length % 2] in {b"", b"\0"}
        position = end + length % 2
    assert position == len(data)
    return found
