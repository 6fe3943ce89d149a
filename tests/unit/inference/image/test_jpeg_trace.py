"""libjpeg reads out of what we hand it the segments that were meant, and no other.

Three readers of the same bytes must agree: the writer's own list, a parser written from ITU-T T.81 annex B
alone, and libjpeg's trace.
"""

import random
import re
import struct
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_similarity.inference.image import jpeg
from image_similarity.inference.image.broken import BrokenImageError
from image_similarity.inference.image.jpeg_segments import Segment
from tests.support import files
from tests.support.jpegs import PROGRESSIVE, SEQUENTIAL, arithmetic
from tests.support.photos import photo
from tests.unit.inference.image import by_the_book, libjpeg

pytestmark = pytest.mark.skipif(libjpeg.library() is None, reason="Pillow has no libjpeg of its own here")

PHOTO = photo("chelsea").resize((40, 24))
SOS = 0xDA
BASES = [
    files.saved(PHOTO.convert(mode), "JPEG", quality=50, **options)
    for mode in ("L", "RGB", "CMYK")
    for options in ({}, {"progressive": True}, {"restart_marker_blocks": 1})
]
HIDDEN = [arithmetic(frame, side=16, scans=3)[2:-2] for frame in (SEQUENTIAL, PROGRESSIVE)]
MARKERS = [0x00, 0x01, 0x02, 0xBF, *range(0xC0, 0x100)]


@pytest.fixture(scope="module")
def tracer() -> Iterator[libjpeg.Tracer]:
    process = libjpeg.Tracer()
    yield process
    process.close()


def messages(segments: list[Segment]) -> Iterator[str]:
    """What libjpeg's trace says of these segments."""
    yield "Start of Image"
    for segment in segments:
        yield from _messages(segment.marker, segment.content)
    yield "End Of Image"


def _messages(marker: int, content: bytes) -> Iterator[str]:
    if marker in {0xDB, 0xC4}:
        yield from _tables(marker, content)
    elif marker == 0xDD:
        yield f"Define Restart Interval {int.from_bytes(content)}"
    elif marker == 0xE0:
        yield "JFIF APP0 marker: version 1.01, density 1x1  0"
    elif marker == 0xEE:
        yield f"Adobe APP14 marker: version 100, flags 0x0000 0x0000, transform {content[11]}"
    elif marker == SOS:
        yield from _scan(content)
    else:
        assert marker in {0xC0, 0xC1, 0xC2}
        _, height, width, count = struct.unpack_from(">BHHB", content)
        yield f"Start Of Frame 0x{marker:02x}: width={width}, height={height}, components={count}"
        for number, sampling, table in zip(content[6::3], content[7::3], content[8::3], strict=True):
            yield f"Component {number}: {sampling >> 4}hx{sampling & 15}v q={table}"


def _tables(marker: int, content: bytes) -> Iterator[str]:
    while content:
        precision, table = content[0] >> 4, content[0] & 15
        if marker == 0xDB:
            yield f"Define Quantization Table {table}  precision {precision}"
            content = content[65 + 64 * precision :]
        else:
            yield f"Define Huffman Table 0x{content[0]:02x}"
            content = content[17 + sum(content[1:17]) :]


def _scan(content: bytes) -> Iterator[str]:
    yield f"Start Of Scan: {content[0]} components"
    for number, tables in zip(content[1:-3:2], content[2:-3:2], strict=True):
        yield f"Component {number}: dc={tables >> 4} ac={tables & 15}"
    yield f"Ss={content[-3]}, Se={content[-2]}, Ah={content[-1] >> 4}, Al={content[-1] & 15}"


RESTART = re.compile("Unexpected marker 0xd[0-7]")


def agree(tracer: libjpeg.Tracer, data: bytes, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the file is read at all; and if so, all three readers must see the same in what was written."""
    written: list[tuple[list[Segment], bytes]] = []
    write = jpeg.write

    def recorded(kept: list[Segment], continuation: bytes = b"") -> bytes:
        file = write(kept, continuation)
        written.append((list(kept), file))
        return file

    with monkeypatch.context() as patched:
        patched.setattr(jpeg, "write", recorded)
        try:
            jpeg.read(data)
        except BrokenImageError:
            return False
    ((kept, file),) = written
    assert by_the_book.jpeg(file) == kept
    trace = [line for line in tracer.trace(file) if not line.startswith("warning: ")]
    trace = [line for line in trace if not RESTART.fullmatch(line)]
    expected = list(messages(kept))
    if trace[-1].startswith("error: "):  # a picture that libjpeg gives up
        trace.pop()
        expected = expected[: len(trace)]
    assert trace == expected
    return True


LENGTHS = [0, 1, 2, 3, 8, 20, 300, 65535]
VALUES = [0, 1, 2, 0x11, 0x7F, 0xC4, 0xCA, 0xD0, 0xD9, 0xDA, 0xFE, 0xFF]


def mutated(data: bytes, chance: random.Random) -> bytes:
    """A file with changes that a reader of segments meets: markers, lengths, pieces doubled or gone."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(changed))
        markers = [match.start() for match in re.finditer(rb"\xff[\xc0-\xfe]", bytes(changed))] or [at]
        marker, later = sorted(chance.choices(markers, k=2))
        start, end, put = chance.choice(
            [
                (at, at + 1, bytes([chance.choice(VALUES)])),
                (at, at, bytes([0xFF, chance.choice(MARKERS)]) + chance.randbytes(chance.randint(0, 4))),
                (marker + 2, marker + 4, struct.pack(">H", chance.choice(LENGTHS))),
                (marker + 1, marker + 2, bytes([chance.choice(MARKERS)])),
                (at, at, changed[marker:later]),
                (marker, later, b""),
                (2, 2, hidden(chance)),
                (marker, marker, b"\xff" * chance.randint(1, 3)),
                (at, at + chance.randint(1, 9), b""),
            ]
        )
        changed[start:end] = put
        if len(changed) < 4:
            return data
    return bytes(changed)


def hidden(chance: random.Random) -> bytes:
    """A whole arithmetic-coded picture in a segment, with a right length or a wrong one."""
    body = chance.choice(HIDDEN)
    length = chance.choice([0, 1, 2, len(body), len(body) + 2])
    return bytes([0xFF, chance.choice(MARKERS[4:])]) + struct.pack(">H", length) + body


@pytest.mark.parametrize("base", BASES)
def test_of_good_files(base: bytes, tracer: libjpeg.Tracer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert agree(tracer, base, monkeypatch)
    assert not any("warning" in line or "error" in line for line in tracer.trace(jpeg_of(base, monkeypatch)))


def jpeg_of(base: bytes, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What libjpeg is handed for a file."""
    seen: list[bytes] = []
    write = jpeg.write

    def written(kept: Sequence[Segment], continuation: bytes = b"") -> bytes:
        seen.append(write(kept, continuation))
        return seen[-1]

    with monkeypatch.context() as patched:
        patched.setattr(jpeg, "write", written)
        jpeg.read(base)
    return seen[0]


@pytest.mark.slow
def test_of_mutated_files(tracer: libjpeg.Tracer, monkeypatch: pytest.MonkeyPatch) -> None:
    chance, read = random.Random(11), 0
    for round_number in range(900):
        data = mutated(BASES[round_number % len(BASES)], chance)
        read += agree(tracer, data, monkeypatch)
    assert read > 100


SEGMENTS = st.one_of(
    st.builds(files.segment, st.sampled_from(MARKERS[4:]), st.binary(max_size=40)),
    st.builds(
        lambda marker, junk: bytes([0xFF, marker]) + junk, st.sampled_from(MARKERS), st.binary(max_size=6)
    ),
    st.builds(
        lambda t, junk: files.segment(0xDB, bytes([t]) + junk),
        st.integers(0, 4),
        st.binary(min_size=64, max_size=64),
    ),
    st.builds(
        lambda t: files.segment(0xC4, bytes([t, 0, 2]) + bytes(14) + b"\0\1"),
        st.sampled_from([0, 1, 0x10, 0x11, 4]),
    ),
    st.builds(lambda n: files.segment(0xDD, struct.pack(">H", n)), st.integers(0, 3)),
    st.builds(
        lambda transform: files.segment(0xEE, b"Adobe" + bytes(6) + bytes([transform])), st.integers(0, 3)
    ),
    st.builds(
        lambda marker, count, sampling: files.segment(
            marker,
            struct.pack(">BHHB", 8, 16, 16, count)
            + b"".join(bytes([n + 1, sampling, 0]) for n in range(count)),
        ),
        st.sampled_from([0xC0, 0xC1, 0xC2, 0xC9]),
        st.integers(0, 5),
        st.sampled_from([0x11, 0x21, 0x22, 0x41, 0x55]),
    ),
    st.builds(
        lambda chosen, band, data: (
            files.segment(SOS, bytes([len(chosen)]) + b"".join(bytes([n, 0]) for n in chosen) + bytes(band))
            + data
        ),
        st.lists(st.integers(1, 4), max_size=4),
        st.sampled_from([(0, 63, 0), (0, 0, 0), (0, 0, 1), (1, 63, 0), (1, 5, 0x21), (64, 2, 9)]),
        st.binary(max_size=30),
    ),
    st.binary(max_size=5),
)


@pytest.mark.slow
@given(
    parts=st.lists(SEGMENTS, max_size=14), end=st.sampled_from([b"\xff\xd9", b"", b"\xff", b"\xff\xff\xd9x"])
)
@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_of_generated_files(
    parts: list[bytes], end: bytes, tracer: libjpeg.Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(tracer, b"\xff\xd8" + b"".join(parts) + end, monkeypatch)
    framed = files.segment(0xDB, bytes(65)) + files.segment(
        0xC0, struct.pack(">BHHB", 8, 16, 16, 1) + b"\1\x11\0"
    )
    scan = files.segment(SOS, b"\1\1\0\0\x3f\0")
    agree(tracer, b"\xff\xd8" + framed + b"".join(parts) + scan + b"ab" + end, monkeypatch)
