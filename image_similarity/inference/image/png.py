"""PNG files (W3C PNG, third edition): what reaches the decoder, and what does not."""

import struct

from PIL import Image

from image_similarity.inference.image import exif
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.colour import TRANSPARENCY

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_CHUNKS = 32_768
"""Each chunk costs the decoder a loop in Python; writers that flush 8 kB at a time reach 2600 in 20 MiB."""

PICTURE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
SINGLE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS"})
"""Section 5.6: once at most. Pillow takes each as it comes; a second header changes a picture half made."""
BIT_DEPTH_OFFSET = 24


def clean(data: bytes) -> tuple[bytes, int]:
    """Keep the chunks that make the first picture.

    Profiles and texts that inflate, animation and what comes after the end don't reach the decoder.

    Returns:
        The file without its other chunks, and the orientation that its eXIf chunk names.

    Raises:
        BrokenImageError: the file does not begin with its header, has a chunk twice that may stand once, ends
            before its end chunk, or has more than MAX_CHUNKS chunks.
    """
    kept, orientation, position = [SIGNATURE], exif.UPRIGHT, len(SIGNATURE)
    seen: set[bytes] = set()
    for _ in range(MAX_CHUNKS):
        if position + 12 > len(data):
            raise BrokenImageError("the PNG is truncated; send the whole file.")
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 12 + length
        if end > len(data):
            raise BrokenImageError("the PNG is truncated; send the whole file.")
        if kind in seen or not (seen or kind == b"IHDR"):
            raise BrokenImageError("the PNG's chunks are not in order; save it again.")
        if kind in SINGLE_CHUNKS:
            seen.add(kind)
        if kind in PICTURE_CHUNKS:
            kept.append(data[position:end])
        elif kind == b"eXIf":
            orientation = exif.orientation(data[position + 8 : end - 4])
        if kind == b"IEND":
            return b"".join(kept), orientation
        position = end
    raise BrokenImageError(f"the PNG has more than {MAX_CHUNKS} chunks; save it again.")


def scale_transparency(picture: Image.Image, data: bytes) -> Image.Image:
    """Pillow scales samples of 2, 4 and 16 bits to 8, but not the transparent sample of tRNS beside them."""
    value, depth = picture.info.get(TRANSPARENCY), data[BIT_DEPTH_OFFSET]
    if picture.mode == "L" and isinstance(value, int) and depth < 8:
        picture.info[TRANSPARENCY] = value * 255 // (2**depth - 1)
    if picture.mode == "RGB" and isinstance(value, tuple) and depth == 16:
        picture.info[TRANSPARENCY] = tuple(sample >> 8 for sample in value)
    return picture
