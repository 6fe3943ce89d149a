"""BMP's run lengths of 8 and 4 bits, decoded to one index a pixel."""

from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.still import Size

MAX_RUNS = 1_500_000
"""Each run costs a turn of a Python loop: this many take about half a second."""
END_OF_ROW, END_OF_PICTURE, JUMP = 0, 1, 2
HEX_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))
TRUNCATED = "the BMP's run lengths end too soon; send the whole file."


def indices(data: bytes, size: Size, bits: int) -> bytearray:
    """Decode the runs.

    A run is cut at the end of its row, and pixels that are skipped get the index 0.

    Args:
        data: the file's bytes from the first run on.
        size: width and height.
        bits: bits of an index, 8 or 4.

    Returns:
        One byte a pixel, in the order of the stored rows.

    Raises:
        BrokenImageError: the runs end before the last row is full, or there are more than MAX_RUNS.
    """
    width, height = size
    picture = bytearray(width * height)
    across = row = position = 0
    for _ in range(MAX_RUNS):
        if row >= height:
            return picture
        count, value = _pair(data, position, last_row_is_full=row == height - 1 and across >= width)
        position += 2
        if count:
            run = bytes([value]) * count if bits == 8 else bytes([value >> 4, value & 15]) * (count // 2 + 1)
        elif value == END_OF_ROW:
            across, row = 0, row + 1
            continue
        elif value == END_OF_PICTURE:
            return picture
        elif value == JUMP:
            right, down = _pair(data, position)
            position, across, row = position + 2, across + right, row + down
            continue
        else:
            count = value
            run, position = _literal(data, position, count, bits)
        room = min(count, width - across)
        if room > 0:
            start = row * width + across
            picture[start : start + room] = run[:room]
        across += count
    raise BrokenImageError(f"the BMP has more than {MAX_RUNS} run lengths; save it as PNG.")


def _pair(data: bytes, position: int, *, last_row_is_full: bool = False) -> tuple[int, int]:
    if position + 2 <= len(data):
        return data[position], data[position + 1]
    if last_row_is_full:  # only the end marker is missing
        return 0, END_OF_PICTURE
    raise BrokenImageError(TRUNCATED)


def _literal(data: bytes, position: int, count: int, bits: int) -> tuple[bytes, int]:
    """Indices as they are, padded to 16 bits; and where the next run begins."""
    length = count if bits == 8 else (count + 1) // 2
    stored = data[position : position + length]
    if len(stored) < length:
        raise BrokenImageError(TRUNCATED)
    if bits == 4:
        stored = (
            stored.hex().encode().translate(HEX_DIGITS)
        )  # in a Python loop, 20 MiB of them would take three seconds
    return stored, position + length + length % 2
