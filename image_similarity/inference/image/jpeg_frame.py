"""The frame of a JPEG and the tables beside it: each checked field by field (ITU-T T.81 section B.2)."""

import struct
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.jpeg_segments import (
    APP0,
    BASELINE,
    DHT,
    DQT,
    DRI,
    EXTENDED,
    PROGRESSIVE,
)

MARKERS = frozenset({BASELINE, EXTENDED, PROGRESSIVE})
COMPONENT_COUNTS = frozenset({1, 3, 4})
MAX_SAMPLING = 4
BLOCK = 8
MOST_BYTES_OF_A_BLOCK = 1024
"""64 coefficients of at most 26 bits take 416 bytes if every byte is FF, and so followed by 00; refinements
add to that."""
SPARE_BYTES = 64 * 1024
JFIF = struct.pack(">5sHBHHBB", b"JFIF\0", 0x0101, 0, 1, 1, 0, 0)
ADOBE = struct.Struct(">5sHHHB")


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its number in the file, and how many of its blocks a unit (MCU) has, across and down."""

    number: int
    across: int
    down: int


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame's header."""

    progressive: bool
    width: int
    height: int
    components: tuple[Component, ...]

    def visits(self, numbers: Collection[int] | None = None) -> int:
        """The relative cost of one pass over these components: their blocks of a unit; None: over all."""
        return sum(
            component.across * component.down
            for component in self.components
            if numbers is None or component.number in numbers
        )

    @property
    def most_coded_bytes(self) -> int:
        """An upper bound of the bytes of any scan's data."""
        widest = max(component.across for component in self.components)
        highest = max(component.down for component in self.components)
        units = -(-self.width // (BLOCK * widest)) * -(-self.height // (BLOCK * highest))
        blocks = units * sum(component.across * component.down for component in self.components)
        return MOST_BYTES_OF_A_BLOCK * blocks + SPARE_BYTES


def parse(marker: int, content: bytes) -> Frame:
    """Read a frame's header.

    Raises:
        BrokenImageError: the picture is not one of 8 bits in grey, three colours or four inks.
    """
    if len(content) < 6 or len(content) != 6 + 3 * content[5]:
        raise BrokenImageError("the JPEG's frame is not as long as it states; save it again.")
    bits, height, width, count = struct.unpack_from(">BHHB", content)
    if bits != 8:
        raise BrokenImageError(f"a JPEG of {bits} bits is not read; save it with 8 bits, or as PNG.")
    if count not in COMPONENT_COUNTS:
        raise BrokenImageError(
            f"a JPEG of {count} components is not read; save it in grey, RGB or CMYK, or as PNG."
        )
    if not height:
        raise BrokenImageError("the JPEG does not state its height before its pixels; save it again.")
    if not width:
        raise BrokenImageError("the JPEG states a width of 0 pixels; save it again.")
    components = tuple(_component(content[at : at + 3]) for at in range(6, len(content), 3))
    if len({component.number for component in components}) < count:
        raise BrokenImageError("the JPEG's components are not told apart; save it again.")
    _check_sampling(components)
    return Frame(marker == PROGRESSIVE, width, height, components)


def _component(entry: bytes) -> Component:
    number, sampling, table = entry
    across, down = sampling >> 4, sampling & 15
    if not (1 <= across <= MAX_SAMPLING and 1 <= down <= MAX_SAMPLING and table < 4):
        raise BrokenImageError("the JPEG's frame states a sampling that can't be; save it again.")
    return Component(number, across, down)


def _check_sampling(components: Sequence[Component]) -> None:
    """Refuse sampling factors that libjpeg can't upsample, without calling the file broken."""
    across = max(component.across for component in components)
    down = max(component.down for component in components)
    for component in components:
        if across % component.across or down % component.down:
            raise BrokenImageError(
                f"a JPEG with a component of {component.across} x {component.down} samples beside one of "
                f"{across} x {down} is not read; save it again with the usual sampling, or as PNG."
            )


def check_table(marker: int, content: bytes) -> None:
    """Check that a segment holds whole tables of its kind, at most one for each slot, and nothing else.

    Raises:
        BrokenImageError: it does not.
    """
    check, most = TABLES[marker]
    position = count = 0
    while position < len(content) and count < most:
        position += check(content, position)
        count += 1
    if position != len(content) or not content:
        raise BrokenImageError(
            f"the JPEG's segment FF{marker:02X} is not as long as the tables in it, at most {most}; "
            "save it again."
        )


def _quantisation_length(content: bytes, position: int) -> int:
    precision, table = content[position] >> 4, content[position] & 15
    if precision > 1 or table > 3:
        raise BrokenImageError("the JPEG has a quantisation table that can't be; save it again.")
    return 1 + 64 * (1 + precision)


def _huffman_length(content: bytes, position: int) -> int:
    kind, table = content[position] >> 4, content[position] & 15
    codes = sum(content[position + 1 : position + 17])
    if kind > 1 or table > 3 or codes > 256:
        raise BrokenImageError("the JPEG has a Huffman table that can't be; save it again.")
    return 17 + codes


def _interval_length(_content: bytes, _position: int) -> int:
    return 2


# The length of a table, and how many a segment may have: libjpeg has four slots for each kind.
TABLES: dict[int, tuple[Callable[[bytes, int], int], int]] = {
    DQT: (_quantisation_length, 4),
    DHT: (_huffman_length, 8),
    DRI: (_interval_length, 1),
}


def tells_colours(marker: int, content: bytes) -> bool:
    """Whether a segment says what the components mean: JFIF's or Adobe's, of the right length."""
    name, length = (b"JFIF\0", len(JFIF)) if marker == APP0 else (b"Adobe", ADOBE.size)
    return content.startswith(name) and len(content) >= length


def plainest(marker: int, content: bytes) -> bytes:
    """The content of such a segment, reduced to the meaning of the colours."""
    return JFIF if marker == APP0 else ADOBE.pack(b"Adobe", 100, 0, 0, content[ADOBE.size - 1])
