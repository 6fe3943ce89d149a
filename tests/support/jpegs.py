"""JPEGs that libjpeg reads, or tries to, and that we refuse: in codings that no camera uses."""

import struct
from collections.abc import Callable
from functools import partial

from image_similarity.inference.image import jpeg
from tests.support import files
from tests.support.files import SMALL_JPEG

COMPONENTS = (1, 2, 3)
SEQUENTIAL, PROGRESSIVE = 0xC9, 0xCA
# Arithmetic-coded coefficients that train the decoder to expect large ones everywhere. After their end
# libjpeg feeds it zeros without limit, which it decodes as such: each scan costs as much as a full one.
TEACHING = bytes.fromhex(
    "3bd14851c865b71ad990a390cb6e202263d597f0839c9b3fc4102767a2dcda9af7b0b3ce0ea9f0323b360fba3debd4f308e2"
    "105f1456189d921249249249249249249249249249248f1641c9052251bdad89000843f61b3612dc0b31b20f3ca4cdec1da4"
    "1044b037d470a74e7453ec0105cce7a7bdb731b86f6003aa83e5e2e9b356e3d12a7d1054470b76f61a22f5ab8648b30abd8b"
    "d5e25e5adb381aa730eff032dae2d9ded236608933b74c9fe48d9821a73800"
)


def arithmetic(frame: int, side: int = 4096, scans: int = jpeg.MAX_SCANS) -> bytes:
    """12 kB that would keep a processor busy for a minute and a half (T.81 section G.2, progressive)."""
    parts = [files.segment(0xDB, b"\0" + b"\1" * 64)]
    sampling = b"".join(bytes([component, 0x11, 0]) for component in COMPONENTS)
    parts.append(files.segment(frame, struct.pack(">BHHB", 8, side, side, len(COMPONENTS)) + sampling))
    if frame == SEQUENTIAL:
        parts += [_scan(COMPONENTS, 0, 63) + TEACHING]
    else:
        parts += [_scan(COMPONENTS, 0, 0) + b"\0"]
        parts += [_scan((COMPONENTS[scan % 3],), 1, 63) + TEACHING for scan in range(scans - 1)]
    return b"\xff\xd8" + b"".join(parts) + b"\xff\xd9"


def _scan(components: tuple[int, ...], first: int, last: int) -> bytes:
    tables = b"".join(bytes([component, 0]) for component in components)
    return files.segment(0xDA, bytes([len(components)]) + tables + bytes([first, last, 0]))


def coded_as(marker: int) -> bytes:
    """A small good picture whose frame says that it is coded otherwise (T.81 table B.1)."""
    return SMALL_JPEG.replace(b"\xff\xc0", bytes([0xFF, marker]))


def _with(marker: int, content: bytes) -> bytes:
    return files.with_segments(SMALL_JPEG, files.segment(marker, content))


OTHER_JPEGS: dict[str, Callable[[], bytes]] = {
    "arithmetic, sequential": partial(arithmetic, SEQUENTIAL),
    "arithmetic, progressive, without end": partial(arithmetic, PROGRESSIVE),
    **{f"frame {marker:02X}": partial(coded_as, marker) for marker in range(0xC3, 0xD0) if marker != 0xC4},
    "conditioning of an arithmetic decoder": partial(_with, 0xCC, b"\0\x10"),
    "hierarchical progression": partial(_with, 0xDE, struct.pack(">BHHB", 8, 64, 64, 1) + b"\1\x11\0"),
    "expansion of a reference": partial(_with, 0xDF, b"\x11"),
}
