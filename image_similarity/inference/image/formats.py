"""Which format a file is in, recognised by its first bytes and never by its name or declared type."""

import re
from collections.abc import Callable

from image_similarity.inference.image import bmp, jpeg, png, webp
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.still import Still

READERS: dict[re.Pattern[bytes], Callable[[bytes], Still]] = {
    re.compile(re.escape(jpeg.SIGNATURE)): jpeg.read,
    re.compile(re.escape(png.SIGNATURE)): png.read,
    re.compile(re.escape(bmp.SIGNATURE)): bmp.read,
    webp.SIGNATURE: webp.read,
}
ACCEPTED = "JPEG, PNG, BMP or WebP"
HEAD_BYTES = 512
# First bytes of what people send instead, and what to call it.
STARTS = (
    (b"GIF8", "a GIF"),
    (b"\x89PNG", "a PNG that was damaged on its way, as if it were text"),
    ((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), "a TIFF, or a camera's raw file"),
    ((b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), "a JPEG 2000 file"),
    ((b"\xff\x0a", b"\0\0\0\x0cJXL "), "a JPEG XL file"),
    ((b"FUJIFILM", b"FOVb", b"IIRO", b"IIU\0"), "a camera's raw file"),
    (b"8BPS", "a Photoshop file"),
    ((b"\0\0\1\0", b"\0\0\2\0"), "an icon"),
    ((b"\x0c\0\0\0", b"\x28\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0"), "a bitmap without a BMP's file header"),
    (b"gimp xcf", "a GIMP file"),
    ((b"P1", b"P2", b"P3", b"P4", b"P5", b"P6", b"P7", b"Pf", b"PF"), "a Netpbm file"),
    (b"qoif", "a QOI file"),
    (b"DDS ", "a DDS texture"),
    (b"\x76\x2f\x31\x01", "an OpenEXR file"),
    (b"#?R", "a Radiance file"),
    ((b"\x8aMNG", b"\x8bJNG"), "an MNG or JNG file"),
    (b"BPG\xfb", "a BPG file"),
    ((b"\xd7\xcd\xc6\x9a", b"\x01\0\0\0"), "a Windows metafile"),
    (b"SIMPLE  =", "a FITS file"),
    (b"%PDF-", "a PDF"),
    ((b"%!PS", b"\xc5\xd0\xd3\xc6"), "a PostScript file"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"PK\x03\x04", "a ZIP archive, or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    ((b"Rar!", b"7z\xbc\xaf", b"\xfd7zXZ", b"BZh", b"\x28\xb5\x2f\xfd"), "an archive"),
    ((b"/9j/", b"iVBORw0KGgo", b"Qk0", b"UklGR"), "base64 of a picture, encoded twice"),
    (b"data:", "a data URI, encoded twice"),
    ((b"http://", b"https://", b"s3://"), "an address; send it as url"),
)
RIFF_KINDS = {b"AVI ": "a video", b"WAVE": "a sound file"}
BRANDS = (
    ((b"avif", b"avis"), "an AVIF"),
    ((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1", b"miaf"), "a HEIC photograph"),
    ((b"crx ",), "a camera's raw file"),
)
"""Major brands of ISO base media files; any other is a video's."""
HTML = re.compile(rb"<(?:!--|(?:!doctype html|html|head|body|title|script|div|meta)\b)", re.IGNORECASE)
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read(data: bytes) -> Still:
    """Read the header of a file in an accepted format.

    Raises:
        BrokenImageError: it is in another format, which the message names, or it is broken.
    """
    for signature, reader in READERS.items():
        if signature.match(data):
            return reader(data)
    raise BrokenImageError(f"{name(data)}; send a {ACCEPTED} file.")


def name(data: bytes) -> str:
    """What an unsupported file is, as the beginning of a sentence: "this is a GIF"."""
    if not data:
        return "the file is empty"
    for starts, what in STARTS:
        if data.startswith(starts):
            return f"this is {what}"
    if data.startswith(b"RIFF") and data[8:12] in RIFF_KINDS:
        return f"this is {RIFF_KINDS[data[8:12]]}"
    if data[4:8] == b"ftyp":
        return f"this is {_media(data[8:HEAD_BYTES])}"
    if kind := _text(data[:HEAD_BYTES].removeprefix(BYTE_ORDER_MARK).lstrip()):
        return f"this is {kind}"
    return "its format is not recognised"


def _media(brands: bytes) -> str:
    """Decided by the major brand, and if photographs share one, by the compatible brands."""
    if b"avif" in brands[:32] and brands[:4] in {b"mif1", b"msf1", b"miaf"}:
        return "an AVIF"
    return next((kind for known, kind in BRANDS if brands[:4] in known), "a video")


def _text(head: bytes) -> str | None:
    if b"<svg" in head.lower():
        return "an SVG drawing"
    if HTML.match(head):
        return "a web page, not a picture"
    if head.startswith(b"<"):
        return "an XML document, not a picture"
    if head.startswith((b"{", b"[")):
        return "JSON, not a picture"
    return None
