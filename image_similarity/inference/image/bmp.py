"""BMP files of Windows and OS/2: the header is parsed here, and Pillow's codec unpacks plain samples.

https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage
"""

import struct
from dataclasses import dataclass, replace

from PIL import Image

from image_similarity.inference.image import bmp_masks, bmp_runs
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.still import Still

SIGNATURE = b"BM"
FILE_HEADER_BYTES = 14
OS2_HEADER_BYTES, OS2_SHORT_HEADER_BYTES, OS2_LONG_HEADER_BYTES = 12, 16, 64
HEADER_BYTES = frozenset(
    {OS2_HEADER_BYTES, OS2_SHORT_HEADER_BYTES, OS2_LONG_HEADER_BYTES, *(40, 52, 56, 108, 124)}
)
PLAIN, RUNS_8, RUNS_4, BIT_FIELDS, ALPHA_BIT_FIELDS = 0, 1, 2, 3, 6
RUNS = {RUNS_8: 8, RUNS_4: 4}
OTHERS = {4: "a JPEG inside a BMP", 5: "a PNG inside a BMP"}
OS2_OTHERS = {3: "a BMP of OS/2 with Huffman codes", 4: "a BMP of OS/2 with run lengths of 24 bits"}
INDEXED = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
DIRECT = {16: ("RGB", "BGR;15"), 24: ("RGB", "BGR"), 32: ("RGB", "BGRX")}
GREYS = b"".join(bytes([level]) * 3 for level in range(256))


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says about the picture; `start` is the offset of its rows."""

    width: int
    height: int
    bits: int
    compression: int
    colours: int
    size: int
    start: int
    top_down: bool

    @property
    def stride(self) -> int:
        """Bytes of a row, which is padded to four."""
        return (self.width * self.bits + 31) // 32 * 4


def read(data: bytes) -> Still:
    """Read the header.

    Raises:
        BrokenImageError: it is impossible, or states a layout that is not supported.
    """
    header = _header(data)

    def load(_reduction: int) -> Image.Image:
        if header.compression in RUNS:
            return _with_palette(_run_lengths(header, data), header, data)
        if header.bits in INDEXED:
            return _with_palette(_unpacked(header, data, "P", INDEXED[header.bits]), header, data)
        if header.compression == PLAIN:
            return _unpacked(header, data, *DIRECT[header.bits])
        return _masked(header, data)

    return Still((header.width, header.height), load)


def _header(data: bytes) -> Header:
    try:
        start, size = struct.unpack_from("<II", data, 10)
        if size not in HEADER_BYTES:
            raise BrokenImageError(f"a BMP with a header of {size} bytes is not read; save it as PNG.")
        if size == OS2_HEADER_BYTES:
            width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
            compression = colours = 0
        elif size == OS2_SHORT_HEADER_BYTES:
            width, height, _, bits = struct.unpack_from("<iiHH", data, 18)
            compression = colours = 0
        else:
            width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
            (colours,) = struct.unpack_from("<I", data, 46)
    except struct.error as error:
        raise BrokenImageError("the BMP is truncated; send the whole file.") from error
    header = Header(width, abs(height), bits, compression, colours, size, start, height < 0)
    _check(header)
    if header.bits in INDEXED and start == FILE_HEADER_BYTES + size:  # some programs forget to fill it in
        return replace(header, start=start + _entry_bytes(header) * (colours or 2**header.bits))
    return header


def _check(header: Header) -> None:
    others = OS2_OTHERS if header.size == OS2_LONG_HEADER_BYTES else OTHERS
    if header.compression in others:
        raise BrokenImageError(f"{others[header.compression]} is not read; save it as JPEG or PNG.")
    if header.width <= 0 or not header.height:
        size = f"{header.width} x {header.height}"
        raise BrokenImageError(f"the BMP states a size of {size} pixels, which can't be; save it again.")
    bits, compression = header.bits, header.compression
    fitting = {
        PLAIN: bits in INDEXED or bits in DIRECT,
        BIT_FIELDS: bits in DIRECT,
        ALPHA_BIT_FIELDS: bits in DIRECT,
    }
    if not fitting.get(compression, RUNS.get(compression) == bits):
        raise BrokenImageError(
            f"a BMP of {bits} bits with compression {compression} is not read; save it as PNG."
        )


def _entry_bytes(header: Header) -> int:
    return 3 if header.size == OS2_HEADER_BYTES else 4


def _rows(header: Header, data: bytes) -> bytes | memoryview:
    """The rows as they are stored, not copied; the padding of the last one may be missing."""
    needed = header.stride * header.height
    rows = memoryview(data)[header.start : header.start + needed]
    padding = header.stride - (header.width * header.bits + 7) // 8
    if len(rows) < needed - padding:
        raise BrokenImageError("the BMP is truncated; send the whole file.")
    return bytes(rows).ljust(needed, b"\0") if len(rows) < needed else rows


def _unpacked(header: Header, data: bytes, mode: str, delivered: str) -> Image.Image:
    direction = 1 if header.top_down else -1
    size = (header.width, header.height)
    return Image.frombytes(mode, size, _rows(header, data), "raw", delivered, header.stride, direction)


def _run_lengths(header: Header, data: bytes) -> Image.Image:
    indices = bmp_runs.indices(data[header.start :], (header.width, header.height), header.bits)
    direction = 1 if header.top_down else -1
    return Image.frombytes("P", (header.width, header.height), indices, "raw", "P", 0, direction)


def _with_palette(picture: Image.Image, header: Header, data: bytes) -> Image.Image:
    """Replace indices by colours; an index without a colour becomes black."""
    entry, first = _entry_bytes(header), FILE_HEADER_BYTES + header.size
    # Some files state more colours than there are indices; none can use them.
    end = first + entry * min(header.colours or 2**header.bits, 2**header.bits)
    if end > len(data):
        raise BrokenImageError("the BMP's palette is truncated; send the whole file.")
    blue, green, red = (data[first + band : end : entry] for band in range(3))
    palette = bytearray(3 * 256)
    for band, levels in enumerate((red, green, blue)):
        palette[band : 3 * len(levels) : 3] = levels
    if palette == GREYS:
        return Image.frombytes("L", picture.size, picture.tobytes())
    picture.putpalette(bytes(palette))
    return picture


def _masked(header: Header, data: bytes) -> Image.Image:
    masks = bmp_masks.read(data, header.size, header.bits, alpha=header.compression == ALPHA_BIT_FIELDS)
    if (layout := bmp_masks.FAST.get((header.bits, masks))) is not None:
        picture = _unpacked(header, data, *layout)
    else:
        rows = _rows(header, data)
        picture = bmp_masks.unpacked(rows, (header.width, header.height), header.bits, masks)
        picture = picture if header.top_down else picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (0, 0):
        return picture.convert(
            "RGB"
        )  # alpha that is 0 everywhere means no alpha: programs leave the byte empty
    return picture
