"""What of a JPEG reaches libjpeg: segments that were checked, and no byte besides."""

import io
import struct
from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from image_similarity.inference.errors import InvalidImage
from image_similarity.inference.image import jpeg, jpeg_segments
from image_similarity.inference.image.broken import BrokenImageError
from tests.support import files
from tests.support.files import SMALL_JPEG
from tests.support.jpegs import PROGRESSIVE, SEQUENTIAL, arithmetic
from tests.support.photos import photo
from tests.unit.inference.image import by_the_book
from tests.unit.inference.image.test_formats import decoded

PHOTO = photo("chelsea")
ORDINARY = files.saved(PHOTO, "JPEG", quality=90)
LATER = files.saved(PHOTO, "JPEG", quality=90, progressive=True)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 2}]
)
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("reduction", [1, 2, 4, 8])
def test_the_pixels_are_those_of_pillows_own_reader(
    mode: str, options: dict[str, object], reduction: int
) -> None:
    data = files.saved(PHOTO.convert(mode), "JPEG", quality=90, **options)
    theirs = JpegImagePlugin.JpegImageFile(io.BytesIO(data))
    theirs.draft(None, (theirs.width // reduction, theirs.height // reduction))
    ours = jpeg.read(data).load(reduction)
    assert (ours.mode, ours.size) == (theirs.mode, theirs.size)
    assert ours.tobytes() == theirs.tobytes()


def test_noise_of_the_best_quality_is_read_to_its_end() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (1024, 1024, 3), dtype=np.uint8)
    data = files.saved(Image.fromarray(noise), "JPEG", quality=100, subsampling=0)
    assert jpeg.read(data).load(1).tobytes() == Image.open(io.BytesIO(data)).tobytes()


def hidden(body: bytes, marker: int, length: int) -> bytes:
    """A JPEG in a JPEG: libjpeg would read the outer segment otherwise than its length says."""
    return ORDINARY[:2] + bytes([0xFF, marker]) + struct.pack(">H", length) + body + ORDINARY[2:]


@pytest.mark.parametrize("marker", [0xC4, 0xDB, 0xDD, 0xC0, 0xE0, 0xE2, 0xEE, 0xFE])
@pytest.mark.parametrize("length", [0, 1])
def test_a_length_that_can_not_be_is_refused(marker: int, length: int) -> None:
    with pytest.raises(BrokenImageError, match=f"FF{marker:02X} states a length of {length}"):
        jpeg.read(hidden(arithmetic(PROGRESSIVE)[2:-2], marker, length))


@pytest.mark.parametrize("frame", [SEQUENTIAL, PROGRESSIVE])
@pytest.mark.parametrize("marker", [0xC4, 0xDB, 0xDD, 0xE0, 0xE1, 0xE5, 0xEE, 0xFE])
def test_what_is_hidden_in_a_segment_does_not_come_out(frame: int, marker: int) -> None:
    body = arithmetic(frame)[2:-2]
    data = hidden(body, marker, len(body) + 2)
    try:
        still = jpeg.read(data)
    except BrokenImageError:
        assert marker in {0xC4, 0xDB, 0xDD}  # a table is not as long as that
    else:
        assert still.load(1).tobytes() == jpeg.read(ORDINARY).load(1).tobytes()


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xC8, 0xF0, 0xF5, 0xFD])
def test_a_segment_of_no_picture_is_refused(marker: int) -> None:
    with pytest.raises(BrokenImageError, match=f"FF{marker:02X}"):
        jpeg.read(files.with_segments(ORDINARY, files.segment(marker, bytes(5))))


def with_second(marker: int, count: int, content: bytes) -> bytes:
    return files.with_segments(ORDINARY, *[files.segment(marker, content)] * count)


FRAME = struct.pack(">BHHB", 8, 64, 64, 1) + b"\1\x11\0"
TABLE = b"\0" + bytes(range(1, 65))
COUNTED = {
    "frames": with_second(0xC0, 200, FRAME),
    "frames of 64 kB": with_second(0xC0, 40, FRAME + bytes(65000)),
    "quantisation tables": with_second(0xDB, 40, TABLE),
    "quantisation tables of 64 kB": with_second(0xDB, 40, TABLE * 1000),
    "Huffman tables in one segment": with_second(0xC4, 1, (b"\0" + bytes(16)) * 9),
    "quantisation tables in one segment": with_second(0xDB, 1, TABLE * 5),
    "Huffman tables": with_second(0xC4, 2000, b"\0" + bytes(16)),
    "restart intervals": with_second(0xDD, 200, b"\0\0"),
    "scans of one component": SMALL_JPEG[:-2]
    + SMALL_JPEG[SMALL_JPEG.index(b"\xff\xda") : -2] * 2
    + b"\xff\xd9",
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_stands_too_often_is_refused(name: str) -> None:
    with pytest.raises(InvalidImage, match="save it again"):
        decoded(COUNTED[name])


@pytest.mark.parametrize(
    ("marker", "content", "most"),
    [(0xDB, TABLE, 4), (0xC4, b"\0" + bytes(16), 512), (0xDD, b"\0\0", 64)],
)
def test_so_many_tables_are_read_and_no_more(marker: int, content: bytes, most: int) -> None:
    free = most - ORDINARY[: ORDINARY.index(b"\xff\xda")].count(bytes([0xFF, marker]))
    assert jpeg.read(with_second(marker, free, content)).size == PHOTO.size
    with pytest.raises(BrokenImageError, match=f"more than {most} tables of one kind"):
        jpeg.read(with_second(marker, free + 1, content))


@pytest.mark.parametrize(("marker", "content"), [(0xDB, TABLE[1:]), (0xC4, bytes(16))])
@pytest.mark.parametrize(
    ("kind_and_slot", "is_read"), [(0x03, True), (0x04, False), (0x0C, False), (0x20, False)]
)
def test_tables_have_four_slots(marker: int, content: bytes, kind_and_slot: int, *, is_read: bool) -> None:
    data = with_second(marker, 1, bytes([kind_and_slot]) + content)
    if is_read:
        assert jpeg.read(data).size == PHOTO.size
        return
    with pytest.raises(BrokenImageError, match="table that can't be"):
        jpeg.read(data)


@pytest.mark.parametrize("tables", [0x40, 0x04, 0x50, 0xF0])
def test_a_scan_of_a_table_without_a_slot_is_refused(tables: int) -> None:
    data = bytearray(ORDINARY)
    data[data.index(b"\xff\xda") + 6] = tables
    with pytest.raises(BrokenImageError, match="a scan of tables that can't be"):
        jpeg.read(bytes(data))


@pytest.mark.parametrize("more", [b"", b"\0", bytes(3), bytes(600)])
def test_a_frame_is_as_long_as_it_states(more: bytes) -> None:
    start = ORDINARY.index(b"\xff\xc0")
    frame = ORDINARY[start + 4 : start + 19]
    for content in (frame + more, frame[: len(frame) - len(more) % 15]):
        data = ORDINARY[:start] + files.segment(0xC0, content) + ORDINARY[start + 19 :]
        if content == frame:
            assert jpeg.read(data).size == PHOTO.size
            continue
        with pytest.raises(BrokenImageError, match="not as long as it states"):
            jpeg.read(data)


def test_of_many_exif_segments_the_first_is_read() -> None:
    blocks = [files.exif_block(turn) for turn in (6, *[3] * 500)]
    segments = [files.segment(0xE1, b"Exif\0\0" + block) for block in blocks]
    assert jpeg.read(files.with_segments(ORDINARY, *segments)).orientation == 6


@pytest.mark.parametrize("first", [b"Exif\0\0", b"Exif\0\0" + files.exif_block(9), b"Exif\0\0II*\0"])
def test_an_exif_that_says_nothing_counts_as_the_first(first: bytes) -> None:
    segments = [files.segment(0xE1, first), files.segment(0xE1, b"Exif\0\0" + files.exif_block(6))]
    assert jpeg.read(files.with_segments(ORDINARY, *segments)).orientation == 1


def test_exif_behind_a_scan_turns_nothing() -> None:
    exif = files.segment(0xE1, b"Exif\0\0" + files.exif_block(6))
    second = LATER.index(b"\xff\xda", LATER.index(b"\xff\xda") + 2)
    for data in (ORDINARY[:-2] + exif + ORDINARY[-2:], LATER[:second] + exif + LATER[second:]):
        assert jpeg.read(data).orientation == 1


@pytest.mark.parametrize("content", [b"JFIF\0", b"JFIF\0\1\1", b"JFXX\0\x10", b"", b"AVI1"])
@pytest.mark.parametrize("marker", [0xE0, 0xEE])
def test_application_segments_of_odd_length_change_nothing(marker: int, content: bytes) -> None:
    data = files.with_segments(ORDINARY, files.segment(marker, content))
    assert np.array_equal(decoded(data), decoded(ORDINARY))


@pytest.mark.parametrize("marker", [b"\xff\xdb", b"\xff\xc4", b"\xff\xc0", b"\xff\xda"])
def test_an_empty_segment_takes_nothing_of_the_next(marker: bytes) -> None:
    at = ORDINARY.index(marker)
    data = ORDINARY[:at] + files.segment(0xFE, b"") + ORDINARY[at:]
    assert np.array_equal(decoded(data), decoded(ORDINARY))


SAMPLED = files.saved(PHOTO, "JPEG", quality=90, subsampling=0)
FACTORS = SAMPLED.index(b"\xff\xc0") + 11


def with_sampling(*factors: int) -> bytes:
    data = bytearray(SAMPLED)
    data[FACTORS : FACTORS + 9 : 3] = bytes(factors)
    return bytes(data)


@pytest.mark.parametrize(
    "factors", [(0x21, 0x21, 0x21), (0x31, 0x11, 0x11), (0x41, 0x21, 0x11), (0x11, 0x22, 0x11)]
)
def test_odd_samplings_are_read_as_pillow_reads_them(factors: tuple[int, ...]) -> None:
    data = with_sampling(*factors)
    assert jpeg.read(data).load(1).tobytes() == Image.open(io.BytesIO(data)).tobytes()


@pytest.mark.parametrize("factors", [(0x32, 0x21, 0x11), (0x13, 0x12, 0x11), (0x11, 0x32, 0x21)])
def test_samplings_that_libjpeg_does_not_enlarge_are_named(factors: tuple[int, ...]) -> None:
    with pytest.raises(OSError, match="broken"):
        Image.open(io.BytesIO(with_sampling(*factors))).load()
    with pytest.raises(InvalidImage, match=r"samples beside one of (3|1) x"):
        decoded(with_sampling(*factors))


@pytest.mark.parametrize("table", [files.segment(0xDD, b"\0\1"), files.segment(0xDB, TABLE)])
def test_a_table_behind_the_last_scan_is_no_place_to_go_on(
    table: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a file without its end: what is decoded to see whether it is whole is written to the letter too."""
    written, write = list[bytes](), jpeg.write

    def kept(segments: Sequence[jpeg_segments.Segment], continuation: bytes = b"") -> bytes:
        written.append(write(segments, continuation))
        return written[-1]

    monkeypatch.setattr(jpeg, "write", kept)
    jpeg.read(ORDINARY[:-2] + table).load(1)
    assert len(written) == 2
    for file in written:
        assert by_the_book.jpeg(file)[-1].marker == 0xDA
    with pytest.raises(BrokenImageError, match="truncated"):
        jpeg.read(ORDINARY[:-999] + table).load(1)


def test_the_writer_checks_what_it_wrote() -> None:
    kept = [jpeg_segments.Segment(0xDB, TABLE), jpeg_segments.Segment(0xDA, b"\1\1\0\0\0\0", b"a\xff\xd9b")]
    with pytest.raises(AssertionError):
        jpeg.write(kept)
