"""BMP files: plain samples in C, but run lengths are decoded by Pillow in Python, a pixel at a time."""

from PIL import Image, ImageFile

from image_similarity.inference.image.broken import BrokenImageError

SIGNATURE = b"BM"
MAX_RUN_LENGTH_BYTES = 1024**2
MAX_RUN_LENGTH_PIXELS = 4 * 1024**2
"""Together about a second; without limits a file of 20 MiB takes 13 with the interpreter locked."""


def checked(picture: ImageFile.ImageFile, data: bytes) -> Image.Image:
    """The opened picture itself.

    Raises:
        BrokenImageError: it has run lengths, and is over one of the limits above.
    """
    run_lengths = any(tile[0] == "bmp_rle" for tile in picture.tile)
    pixels = picture.width * picture.height
    if run_lengths and (len(data) > MAX_RUN_LENGTH_BYTES or pixels > MAX_RUN_LENGTH_PIXELS):
        raise BrokenImageError(
            f"a BMP with run lengths may have {MAX_RUN_LENGTH_BYTES} bytes and "
            f"{MAX_RUN_LENGTH_PIXELS} pixels; save it as PNG."
        )
    return picture
