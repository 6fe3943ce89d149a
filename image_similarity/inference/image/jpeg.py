"""JPEG files (ITU-T T.81), rewritten for libjpeg from the segments that make up the picture.

libjpeg never sees the file itself. It sees what this module wrote: segments of a few kinds, each parsed and
checked, so that the two can't read anything differently.
"""

import hashlib
from collections.abc import Sequence

from PIL import Image

from image_similarity.inference.image import exif, jpeg_frame, jpeg_scan
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.jpeg_frame import Frame
from image_similarity.inference.image.jpeg_segments import (
    APP0,
    APP1,
    APP14,
    DHT,
    DQT,
    DRI,
    EOI,
    SOS,
    Segment,
    segments,
)
from image_similarity.inference.image.still import Still

SIGNATURE = b"\xff\xd8\xff"
START, END = b"\xff\xd8", b"\xff\xd9"
MAX_SCANS = 64
"""A progressive file usually has 10. Each scan is a pass over all coefficients and can cost as little as 30
bytes of file, so without a limit 20 MiB would keep a processor busy for many minutes."""
MAX_PASSES = 14
"""How often each coefficient may be refined, on average: once for each of its bits. Programs need four."""
MAX_TABLES = {DQT: 4, DHT: 8 * MAX_SCANS, DRI: MAX_SCANS}
"""Segments of each kind."""
STRIP_ROWS = 128
MODES = {1: ("L", "L"), 3: ("RGB", "RGB"), 4: ("CMYK", "CMYK;I")}
"""By the number of components: Pillow's mode, and what its decoder delivers. Four components are Adobe's
inks, which are stored inverted; no other program writes four."""


def read(data: bytes) -> Still:
    """Read the file up to its end marker; further pictures or a film may follow it.

    Raises:
        BrokenImageError: it is not a baseline or progressive file of 8 bits, has a segment whose
            length does not fit its content, repeats what may stand once, or ends too soon.
    """
    parts = _Parts()
    for segment in segments(data):
        parts.take(segment)
        if parts.ended:
            break
    frame = parts.frame
    if frame is None or not parts.scans:
        raise BrokenImageError("the JPEG has no picture in it, or is truncated; send the whole file.")
    while parts.kept[-1].marker != SOS:  # a table after the last scan has no effect
        parts.kept.pop()
    file = write(parts.kept)

    def load(reduction: int) -> Image.Image:
        return _decoded(file, frame, reduction) if parts.ended else _whole(parts, frame, file, reduction)

    # Several scans are put together in libjpeg's memory, and a file without its end is decoded as it is.
    streams = parts.ended and not frame.progressive and len(parts.scans) == 1
    return Still((frame.width, frame.height), load, parts.orientation or exif.UPRIGHT, streams)


class _Parts:
    """The segments to keep, in their order, and what the others said."""

    def __init__(self) -> None:
        self.kept: list[Segment] = []
        self.frame: Frame | None = None
        self.scans: list[jpeg_scan.Scan] = []
        self.orientation: int | None = None
        self.ended = False
        self._restart_interval = 0
        self._tables: dict[int, int] = {}
        self._visits = 0

    @property
    def restarts(self) -> bool:
        """Whether the last scan has restart markers."""
        return self._restart_interval > 0

    def take(self, segment: Segment) -> None:
        """Keep, read or drop the next segment of the file."""
        marker, content = segment.marker, segment.content
        if marker == EOI:
            self.ended = True
        elif marker in jpeg_frame.MARKERS:
            self._take_frame(marker, content)
        elif marker == SOS:
            self._take_scan(segment)
        elif marker in (DQT, DHT, DRI):
            self._take_table(marker, content)
        elif (
            marker == APP1 and self.orientation is None and not self.scans and content.startswith(exif.PREFIX)
        ):
            self.orientation = exif.orientation(content)
        elif marker in (APP0, APP14) and not self.scans and jpeg_frame.tells_colours(marker, content):
            self._keep(marker, jpeg_frame.plainest(marker, content))

    def _take_frame(self, marker: int, content: bytes) -> None:
        if self.frame:
            raise BrokenImageError("the JPEG has more than one frame; save it again.")
        self.frame = jpeg_frame.parse(marker, content)
        self._keep(marker, content)

    def _take_table(self, marker: int, content: bytes) -> None:
        jpeg_frame.check_table(marker, content)
        self._tables[marker] = count = self._tables.get(marker, 0) + 1
        if count > MAX_TABLES[marker]:
            raise BrokenImageError(f"the JPEG has more than {count - 1} tables of one kind; save it again.")
        if marker == DRI:
            self._restart_interval = int.from_bytes(content)
        self._keep(marker, content)

    def _take_scan(self, segment: Segment) -> None:
        if self.frame is None:
            raise BrokenImageError("the JPEG has a scan before its frame; save it again.")
        if len(self.scans) == MAX_SCANS:
            raise BrokenImageError(f"the JPEG has more than {MAX_SCANS} scans; save it again.")
        scan = jpeg_scan.parse(segment.content, self.frame)
        earlier = {number for other in self.scans for number in other.components}
        if not self.frame.progressive and not earlier.isdisjoint(scan.components):
            raise BrokenImageError("the JPEG has a component's scan twice; save it again.")
        self._visits += self.frame.visits(scan.components) * (scan.last + 1 - scan.first)
        if self._visits > MAX_PASSES * self.frame.visits() * jpeg_scan.COEFFICIENTS:
            raise BrokenImageError(
                f"the JPEG's scans go over the picture more than {MAX_PASSES} times; save it again."
            )
        self.scans.append(scan)
        # No picture needs more: libjpeg would skip the rest byte by byte.
        coded = segment.coded[: self.frame.most_coded_bytes].rstrip(b"\xff")
        self.kept.append(Segment(SOS, scan.content, coded))

    def _keep(self, marker: int, content: bytes) -> None:
        self.kept.append(Segment(marker, content))


def write(kept: Sequence[Segment], continuation: bytes = b"") -> bytes:
    """A file of exactly these segments: parsing it gives them again.

    Args:
        kept: the segments without start and end marker; the last is a scan.
        continuation: appended to that scan's data.
    """
    file = b"".join([START, *(part for segment in kept for part in segment.parts), continuation, END])
    if not continuation and list(segments(file)) != [*kept, Segment(EOI)]:
        raise AssertionError("a JPEG was written that does not read as it was meant")
    return file


def _decoded(file: bytes, frame: Frame, reduction: int) -> Image.Image:
    mode, delivered = MODES[len(frame.components)]
    size = (-(-frame.width // reduction), -(-frame.height // reduction))
    # Pillow's own parser is bypassed: its codec passes the bytes to libjpeg as they are.
    return Image.frombytes(mode, size, file, "jpeg", delivered, "", reduction, 0)


def _whole(parts: _Parts, frame: Frame, file: bytes, reduction: int) -> Image.Image:
    """The picture of a file that lacks its end marker, if it has every pixel nevertheless.

    Where data ends, libjpeg silently continues with zeros. So the picture is decoded twice, with different
    continuations: if the results differ, pixels are missing.
    """
    if jpeg_scan.complete(frame, parts.scans):
        continued = write(parts.kept, jpeg_scan.continuation(restarts=parts.restarts))
        other = _digest(_decoded(continued, frame, 1))
        picture = _decoded(file, frame, 1)
        if _digest(picture) == other:
            return picture if reduction == 1 else _decoded(file, frame, reduction)
    raise BrokenImageError("the JPEG is truncated; send the whole file.")


def _digest(picture: Image.Image) -> bytes:
    """A hash of the pixels, taken strip by strip, so that there is never a second copy of them all."""
    digest = hashlib.blake2b()
    for top in range(0, picture.height, STRIP_ROWS):
        digest.update(picture.crop((0, top, picture.width, min(top + STRIP_ROWS, picture.height))).tobytes())
    return digest.digest()
