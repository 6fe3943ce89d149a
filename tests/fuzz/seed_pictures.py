"""Seeds of picture files that Pillow does not write: codings and layouts that few programs use."""

import base64
import struct

import numpy as np
from PIL import Image

from tests.support import files

SAMPLES = np.random.default_rng(5).integers(0, 256, (9, 10, 4), dtype=np.uint8)
PICTURE = Image.fromarray(SAMPLES[..., :3])
QUANTISATION = files.segment(0xDB, b"\0" + b"\x10" * 64)
START, END = b"\xff\xd8", b"\xff\xd9"
DNL, SOS = 0xDC, 0xDA


# Found by fuzzing: a second header in the middle left a picture whose mode was not that of its pixels.
TWO_HEADERS = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAkAAAAHBAMAAAAotXpTAAAAMFBMVEUAAQIDBAUGBwgJCgsMDQEAEBESExQVFhcYGRobHPweHyAh"
    "IiMkJSYnKCkqKywBSUVORBoKAAAADUlIRFIAAAA/AAAAQAgAAgAAJQvmiQAAAB1JREFUeJztwTEBAAAAwqD1T20IX6AAAAAAAIDX"
    "AE5QTkcNChoKAAAADUlIRFIAAAAJAAAABwEDWgDyAIDgzQAAAAJ0UkZTAAAAB/2uAAAAHUlFTkQAQmAt6Ojo6ADwABrukPhAAFjb"
    "E5zQAEVORK5CYII="
)


def pictures() -> list[bytes]:
    """All of them."""
    return [*arithmetic(), *restarting(), *by_frame(), *bitmaps(), *indexed()]


def _frame(marker: int, components: int, *, bits: int = 8, height: int = 16) -> bytes:
    each = b"".join(bytes([number + 1, 0x11, 0]) for number in range(components))
    return files.segment(marker, struct.pack(">BHHB", bits, height, 16, components) + each)


def _scan(components: range, first: int, last: int, approximation: int = 0, data: bytes = b"") -> bytes:
    chosen = b"".join(bytes([number + 1, 0]) for number in components)
    header = bytes([len(components), *chosen, first, last, approximation])
    return files.segment(SOS, header) + data.replace(b"\xff", b"\xff\0")


def arithmetic() -> list[bytes]:
    """JPEGs that are arithmetic-coded: any bytes are data for that decoder."""
    data, found = SAMPLES.tobytes()[:24], []
    conditioning = files.segment(0xCC, b"\0\x10\x10\5")
    for components in (1, 3):
        every = range(components)
        sequential = _frame(0xC9, components) + conditioning + _scan(every, 0, 63, data=data)
        passes = [_scan(every, 0, 0, 1, data), _scan(every, 0, 0, 0x10, b"\0")]
        passes += [_scan(range(number, number + 1), 1, 63, data=data) for number in every]
        passes += [_scan(range(1), 1, 63, 0x21, data[:5])] * 2
        progressive = _frame(0xCA, components) + b"".join(passes)
        found += [START + QUANTISATION + body + END for body in (sequential, progressive)]
    late = files.saved(PICTURE.convert("L"), "JPEG", progressive=True, quality=30)
    second = late.index(b"\xff\xda", late.index(b"\xff\xda") + 2)
    return [*found, late[:second] + _frame(0xCA, 1) + late[second:]]


def restarting() -> list[bytes]:
    """JPEGs with restart markers, right ones and ones out of order, and with the height behind the scan."""
    found = [
        files.saved(PICTURE, "JPEG", quality=30, restart_marker_blocks=1, subsampling=0, **options)
        for options in ({}, {"progressive": True})
    ]
    found += [files.saved(PICTURE.convert("L"), "JPEG", quality=30, restart_marker_rows=1)]
    found += [found[0].replace(b"\xff\xd0", b"\xff\xd5", 1)]
    plain = files.saved(PICTURE.convert("L"), "JPEG", quality=30)
    frame = plain.index(b"\xff\xc0")
    lines = files.segment(DNL, struct.pack(">H", PICTURE.height))
    found += [plain[:-2] + lines + END]
    return [*found, plain[: frame + 5] + b"\0\0" + plain[frame + 7 : -2] + lines + END]


def by_frame() -> list[bytes]:
    """JPEGs by components, bits and markers of the frame."""
    grey = files.saved(PICTURE.convert("L"), "JPEG", quality=30)
    frame = grey.index(b"\xff\xc0")
    found = [grey[:frame] + bytes([0xFF, marker]) + grey[frame + 2 :] for marker in (0xC1, 0xC2, 0xC3, 0xC5)]
    found += [grey[: frame + 4] + b"\x0c" + grey[frame + 5 :]]
    inks = files.saved(PICTURE.convert("CMYK"), "JPEG", quality=30)
    adobe = inks.index(b"Adobe")
    found += [inks[: adobe + 11] + bytes([transform]) + inks[adobe + 12 :] for transform in (0, 1, 2, 9)]
    found += [inks[: adobe - 4] + inks[adobe + 12 :]]  # four components of unknown meaning
    two = START + QUANTISATION + grey[grey.index(b"\xff\xc4") : grey.index(b"\xff\xda")]
    return [*found, two + _frame(0xC0, 2) + _scan(range(2), 0, 63, data=bytes(8)) + END]


def bitmaps() -> list[bytes]:
    """BMPs of OS/2, from the top down, and with each kind of masks."""
    grey, size = SAMPLES[..., 0], (10, 9)
    rows = files.bmp_rows(SAMPLES[..., :3])
    found = [files.bmp(rows, size, 24, header_bytes=12)]
    found += [files.bmp(files.bmp_rows(grey % 16), size, 8, palette=bytes(range(64)))]
    found += [files.bmp(files.bmp_rows(SAMPLES[..., :3], top_down=True), (10, -9), 24)]
    words = files.bmp_rows(SAMPLES[..., :2].copy().view("<u2"))
    for colours in ((0x7C00, 0x3E0, 0x1F), (0xF800, 0x7E0, 0x1F), (0, 0, 0), (0xFFFF, 0xFFFF, 1)):
        found += [files.bmp(words, size, 16, compression=3, masks=struct.pack("<III", *colours))]
    found += [files.bmp(words, size, 16)]
    masks = struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0xFF)
    for header in (56, 108, 124):
        found += [files.bmp(SAMPLES.tobytes(), size, 32, compression=3, masks=masks, header_bytes=header)]
    jump = b"\0\2\3\1" + b"\4\1" + b"\0\0" + b"\0\1"
    return [*found, files.bmp(jump, size, 8, compression=1, palette=bytes(range(64)))]


def webps() -> list[bytes]:
    """WebPs of each coding, with alpha, Exif and profile, and moving."""
    picture, seen_through = PICTURE, Image.fromarray(SAMPLES)
    block = files.exif_block(6)
    found = [files.saved(picture, "WEBP", quality=10, **options) for options in ({}, {"exif": block})]
    found += [files.saved(one, "WEBP", lossless=True, method=6) for one in (picture, picture.convert("L"))]
    found += [files.saved(seen_through, "WEBP", quality=10, alpha_quality=quality) for quality in (10, 100)]
    found += [files.saved(seen_through, "WEBP", lossless=True, icc_profile=b"icc", exif=block)]
    others = [picture.rotate(180), picture.crop((2, 2, 6, 6)).resize(picture.size)]
    for options in ({"lossless": True}, {"quality": 10}, {"quality": 10, "allow_mixed": True}):
        found += [files.saved(picture, "WEBP", save_all=True, append_images=others, **options)]
    flat = Image.new("P", (40, 30))
    flat.putdata([index % 3 for index in range(1200)])
    return [*found, files.saved(flat.convert("RGB"), "WEBP", lossless=True), found[0][:-9]]


def indexed() -> list[bytes]:
    """PNGs of each palette depth, in both orders, with transparency, a short palette and samples past it."""
    found, colours = [], SAMPLES.tobytes()
    for depth in (1, 2, 4, 8):
        grey = SAMPLES[..., 0].astype(int) % 2**depth
        palette = files.chunk(b"PLTE", colours[: 3 * min(2**depth, 20)])
        for interlaced in (False, True):
            extra = [palette, files.chunk(b"tRNS", colours[:2])]
            found.append(files.png(grey, files.PALETTE, depth, interlaced=interlaced, before_pixels=extra))
    for samples, colour in (
        (SAMPLES[..., :3], files.RGB),
        (SAMPLES, files.RGBA),
        (SAMPLES[:1, :3], files.RGBA),
    ):
        found.append(files.png(samples, colour, interlaced=True))
    return found
