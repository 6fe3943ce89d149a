"""JPEG files (ITU-T T.81): what reaches the decoder, and what does not."""

import re
from collections.abc import Iterator

from image_similarity.inference.image import exif
from image_similarity.inference.image.broken import BrokenImageError

SIGNATURE = b"\xff\xd8\xff"
MAX_SEGMENTS = 2_048
"""An Exif, a colour profile of 255 segments and 20 MiB of XMP in 64 kB pieces stay under it."""
MAX_SCANS = 64
"""A progressive file needs 14 by the usual scripts. Each is a pass over all coefficients, for as little as 30
bytes of file: without a limit, 20 MiB would keep a processor busy for many minutes."""

REFUSED_FRAMES = frozenset({0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xD0)})
"""Section B.1.1: frames that are neither baseline, extended nor progressive with Huffman codes, and the
segment of arithmetic coding (0xCC). That decoder goes on at full cost where its data has ended: 12 kB kept a
processor busy for a minute and a half."""

EXIF_HEADER = b"Exif\0\0"
APP1, SOS, EOI = 0xE1, 0xDA, 0xD9
# Application segments and comments, but for APP0 and APP14, which tell libjpeg the colour space.
METADATA = frozenset({*range(0xE1, 0xEE), 0xEF, 0xFE})
WITHOUT_LENGTH = frozenset({0x01, 0xD8, EOI})
# Section B.1.1: fill bytes FF may come first; in a scan's data, FF 00 is a byte FF and D0 to D7 are restarts.
MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")


def clean(data: bytes) -> tuple[bytes, int]:
    """Keep the first picture of the file without its metadata.

    What Pillow would parse of a JPEG in Python (Exif, tables of multi-picture files, profiles, stray bytes)
    is not needed, and what follows the picture's end (more pictures, a film) is not looked at.

    Returns:
        The file without metadata, and the orientation that its Exif names.

    Raises:
        BrokenImageError: it is not coded as baseline or progressive files are, ends before its end marker, or
            is over one of the limits above.
    """
    kept, orientation, scans, first_scan = [data[:2]], exif.UPRIGHT, 0, 0
    for marker, start, end in _segments(data):
        if marker == EOI:
            kept.append(data[first_scan or start : end])
            return b"".join(kept), orientation
        if marker in REFUSED_FRAMES:
            raise BrokenImageError("the JPEG is neither baseline nor progressive; save it as one of them.")
        scans += marker == SOS
        if scans > MAX_SCANS:
            raise BrokenImageError(f"the JPEG has more than {MAX_SCANS} scans; save it again.")
        first_scan = first_scan or (start if scans else 0)
        if marker == APP1 and data.startswith(EXIF_HEADER, start + 4):
            orientation = exif.orientation(data[start + 4 + len(EXIF_HEADER) : end])
        if not first_scan and marker not in METADATA:
            kept.append(data[start:end])
    raise BrokenImageError(f"the JPEG has more than {MAX_SEGMENTS} segments; save it again.")


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Marker, start and end of each segment, as libjpeg meets them; a scan's data is between two."""
    position = 2
    for _ in range(MAX_SEGMENTS):
        found = MARKER.search(data, position)
        if found is None:
            raise BrokenImageError("the JPEG is truncated; send the whole file.")
        marker, start, position = found[1][0], found.start(), found.end()
        if marker not in WITHOUT_LENGTH:
            position += int.from_bytes(data[position : position + 2])
        if position > len(data):
            raise BrokenImageError("the JPEG is truncated; send the whole file.")
        yield marker, start, position
