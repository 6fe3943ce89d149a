"""Whether a PNG's compressed pixels hold all of its rows: Pillow's codec leaves missing ones black."""

import zlib

PIECE_BYTES = 64 * 1024
ZLIB_HEADER_BYTES = 2
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""The passes of an interlaced picture: first column and row, and the steps between them (section 8.1)."""


def size(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Bytes of all inflated rows, each with its filter byte.

    Args:
        width: in pixels.
        height: in pixels.
        bits: bits of a pixel, all samples together.
        interlaced: whether it has seven passes; those without a column or a row have no bytes.
    """
    if not interlaced:
        return _pass_size(width, height, bits)
    return sum(
        _pass_size(-((left - width) // across), -((top - height) // down), bits)
        for left, top, across, down in ADAM7
        if left < width and top < height
    )


def _pass_size(width: int, height: int, bits: int) -> int:
    return (1 + -(-width * bits // 8)) * height


def all_there(compressed: bytes, needed: int) -> bool:
    """Whether a zlib stream, which the codec has accepted, inflates to so many bytes.

    Anything after them is ignored, the checksum included.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(ZLIB_HEADER_BYTES, len(compressed), PIECE_BYTES):
        piece = compressed[start : start + PIECE_BYTES]
        while piece and not inflater.eof:
            needed -= len(inflater.decompress(piece, min(PIECE_BYTES, needed)))
            if needed <= 0:
                return True
            piece = inflater.unconsumed_tail
    return len(inflater.flush()) >= needed
