"""The scans of a JPEG: their headers, and whether together they give the whole picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.jpeg_frame import Frame

COEFFICIENTS = 64
LAST = COEFFICIENTS - 1
MAX_SHIFT = 13
MAX_BLOCKS_OF_A_UNIT = 10  # section B.2.3
UNSEEN = MAX_SHIFT + 1
FILLING = bytes(range(254, 0, -1)) * 16
RESTARTS = [bytes([0xFF, marker]) for marker in range(0xD0, 0xD8)]


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan's header, as the decoder gets it.

    Attributes:
        content: the segment's content.
        components: the numbers of its components.
        first, last: the range of its coefficients, 0 to 63.
        shift: how many of their low bits it leaves to later scans.
    """

    content: bytes
    components: tuple[int, ...]
    first: int
    last: int
    shift: int


def parse(content: bytes, frame: Frame) -> Scan:
    """Read a scan's header (ITU-T T.81 section B.2.3, and G.1.1.1 for progressive frames).

    Raises:
        BrokenImageError: it does not fit the frame.
    """
    count = content[0] if content else 0
    if not 1 <= count <= len(frame.components) or len(content) != 4 + 2 * count:
        raise BrokenImageError("the JPEG has a scan whose header can't be; save it again.")
    numbers, tables = content[1 : 1 + 2 * count : 2], content[2 : 2 + 2 * count : 2]
    by_number = {component.number: component for component in frame.components}
    if len(set(numbers)) < count or not by_number.keys() >= set(numbers):
        raise BrokenImageError("the JPEG has a scan of components that it has not; save it again.")
    blocks = sum(by_number[number].across * by_number[number].down for number in numbers)
    if any(table >> 4 > 3 or table & 15 > 3 for table in tables):
        raise BrokenImageError("the JPEG has a scan of tables that can't be; save it again.")
    if count > 1 and blocks > MAX_BLOCKS_OF_A_UNIT:
        raise BrokenImageError("the JPEG has a scan of too many blocks a unit; save it again.")
    if not frame.progressive:
        # libjpeg warns about anything else, and then decodes it as if it were this.
        return Scan(content[:-3] + bytes([0, LAST, 0]), tuple(numbers), 0, LAST, 0)
    first, last, shifts = content[-3:]
    before, shift = shifts >> 4, shifts & 15
    band = first == last == 0 if first == 0 else first <= last <= LAST and count == 1
    if not band or shift > MAX_SHIFT or (before and before != shift + 1):
        raise BrokenImageError("the JPEG has a scan of coefficients that can't be; save it again.")
    return Scan(content, tuple(numbers), first, last, shift)


def complete(frame: Frame, scans: Sequence[Scan]) -> bool:
    """Whether the scans hold every coefficient of every component, down to the last bit."""
    missing = {component.number: [UNSEEN] * COEFFICIENTS for component in frame.components}
    for scan in scans:
        for number in scan.components:
            missing[number][scan.first : scan.last + 1] = [scan.shift] * (scan.last + 1 - scan.first)
    return not any(any(shifts) for shifts in missing.values())


def continuation(*, restarts: bool) -> bytes:
    """Data that a decoder accepts where a scan breaks off: no Huffman code is all ones.

    Args:
        restarts: whether the decoder expects restart markers; without them it would read no further.
    """
    return FILLING + b"".join(marker + FILLING for marker in RESTARTS if restarts)
