"""WebP: every form of it against its plain twin, and what of a file reaches libwebp."""

import io
import struct

import numpy as np
import pytest
from PIL import Image, WebPImagePlugin

from image_similarity.inference.errors import ImageTooLarge, InvalidImage
from image_similarity.inference.image import webp, webp_chunks
from tests.support import files
from tests.unit.inference.image.test_formats import (
    ALPHA,
    EXACT,
    PHOTO,
    ROUNDED,
    close,
    decoded,
    furthest,
    on_white,
)
from tests.unit.inference.image.test_refusals import refused

PICTURE = Image.fromarray(PHOTO)
QUICK = {"quality": 0, "method": 0}  # of a lossless file: larger, and made in a twentieth of the time
LOSSLESS = files.saved(PICTURE, "WEBP", lossless=True, **QUICK)
LOSSY = files.saved(PICTURE, "WEBP", quality=90)
SEEN_THROUGH = Image.fromarray(np.dstack([PHOTO, ALPHA]))
WITH_ALPHA = files.saved(SEEN_THROUGH, "WEBP", quality=95)  # VP8X, ALPH and VP8
FRAMES = [PICTURE, Image.fromarray(255 - PHOTO)]
WIDTH, HEIGHT = PICTURE.size
HAS_ALPHA, HAS_EXIF, ANIMATED = 0x10, 0x08, 0x02


def chunk(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def riff(*chunks: bytes) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def number(value: int) -> bytes:
    return value.to_bytes(3, "little")


def header(flags: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    return chunk(b"VP8X", bytes([flags, 0, 0, 0]) + number(width - 1) + number(height - 1))


def coded(data: bytes) -> bytes:
    """The chunk of the picture of a simple file."""
    return data[12:]


def frame(picture: bytes, left: int, top: int, width: int = WIDTH, height: int = HEIGHT) -> bytes:
    numbers = (left // 2, top // 2, width - 1, height - 1, 100)
    return chunk(b"ANMF", b"".join(number(value) for value in numbers) + b"\0" + picture)


def animation(*frames: bytes, width: int, height: int, flags: int = ANIMATED | HAS_ALPHA) -> bytes:
    return riff(header(flags, width, height), chunk(b"ANIM", bytes(6)), *frames)


def test_lossless_is_its_png_to_the_bit() -> None:
    close(LOSSLESS, PHOTO, EXACT)


@pytest.mark.parametrize("quality", [60, 90])
def test_lossy_is_close_and_libwebps_own(quality: int) -> None:
    data = files.saved(PICTURE, "WEBP", quality=quality)
    theirs = Image.open(io.BytesIO(data))
    assert furthest(data, files.reference(theirs.convert("RGB"))) <= EXACT
    assert np.abs(np.asarray(theirs.convert("RGB")).astype(int) - PHOTO).mean() < 5


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"lossless": True, "exact": True}, {"quality": 95}])
def test_alpha_shows_white(options: dict[str, object]) -> None:
    data = files.saved(SEEN_THROUGH, "WEBP", **options)
    theirs = np.asarray(Image.open(io.BytesIO(data)))
    close(data, on_white(theirs[..., :3], theirs[..., 3]), ROUNDED)


LOSSY_ALPHA = WITH_ALPHA[WITH_ALPHA.index(b"ALPH") :]
LOSSLESS_ALPHA = coded(files.saved(SEEN_THROUGH, "WEBP", lossless=True, exact=True, **QUICK))


@pytest.mark.parametrize("flags", [0, HAS_ALPHA])
@pytest.mark.parametrize("picture", [LOSSY_ALPHA, LOSSLESS_ALPHA])
def test_alpha_counts_where_libwebp_has_it_count(picture: bytes, flags: int) -> None:
    """By the header's word; lossless pictures have their own."""
    data = riff(header(flags), picture)
    theirs = Image.open(io.BytesIO(data)).convert("RGBA")
    wanted = Image.new("RGB", theirs.size, "white")
    wanted.paste(theirs, mask=theirs)
    assert furthest(data, files.reference(wanted)) <= ROUNDED
    moving = animation(frame(picture, 0, 0), width=WIDTH, height=HEIGHT, flags=ANIMATED | flags)
    assert np.array_equal(decoded(moving), decoded(data))


@pytest.mark.slow
@pytest.mark.parametrize("prefix", [b"", b"Exif\0\0"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_exif_behind_the_picture_turns_it(orientation: int, prefix: bytes) -> None:
    exif = chunk(b"EXIF", prefix + files.exif_block(orientation, order="<"))
    data = riff(header(HAS_EXIF), coded(LOSSLESS), exif)
    twin = files.png(
        PHOTO, files.RGB, before_pixels=[files.chunk(b"eXIf", files.exif_block(orientation, order="<"))]
    )
    assert np.array_equal(decoded(data), decoded(twin))


def test_of_two_exifs_the_first_counts_and_an_unannounced_one_does_not() -> None:
    two = [chunk(b"EXIF", files.exif_block(turn)) for turn in (6, 3)]
    assert webp.read(riff(header(HAS_EXIF), coded(LOSSLESS), *two)).orientation == 6
    assert webp.read(riff(header(0), coded(LOSSLESS), *two)).orientation == 1
    assert webp.read(riff(coded(LOSSLESS), *two)).orientation == 1
    assert webp.read(riff(header(HAS_EXIF), two[0], coded(LOSSLESS))).orientation == 6


@pytest.mark.slow
def test_the_first_frame_of_an_animation_counts() -> None:
    data = files.saved(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:], lossless=True)
    assert b"ANMF" in data
    close(data, PHOTO, EXACT)


@pytest.mark.parametrize("flags", [ANIMATED, ANIMATED | HAS_ALPHA])
@pytest.mark.parametrize("coding", ["lossless", "lossy"])
def test_a_frame_stands_at_its_place_on_white(coding: str, flags: int) -> None:
    part = PICTURE.crop((0, 0, 201, 99))
    options = {"lossless": True} if coding == "lossless" else {"quality": 90}
    data = files.saved(part, "WEBP", **options)
    file = animation(
        frame(coded(data), 60, 40, *part.size),
        frame(coded(LOSSY), 0, 0),
        width=WIDTH,
        height=HEIGHT,
        flags=flags,
    )
    whole = Image.new("RGB", (WIDTH, HEIGHT), "white")
    whole.paste(Image.open(io.BytesIO(data)).convert("RGB"), (60, 40))
    close(file, np.asarray(whole), EXACT)


def test_a_seen_through_frame_stands_on_white() -> None:
    chunks = WITH_ALPHA[WITH_ALPHA.index(b"ALPH") :]
    file = animation(frame(chunks, 30, 20), width=WIDTH + 50, height=HEIGHT + 40)
    whole = Image.new("RGB", (WIDTH + 50, HEIGHT + 40), "white")
    theirs = Image.open(io.BytesIO(WITH_ALPHA))
    whole.paste(theirs, (30, 20), theirs)
    close(file, np.asarray(whole), ROUNDED)


LARGE = Image.new("RGB", (4097, 2))


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (files.saved(LARGE, "WEBP", lossless=True), "4097 x 2"),
        (files.saved(LARGE, "WEBP"), "4097 x 2"),
        (animation(frame(coded(LOSSY), 0, 0), width=1 << 24, height=5000), "16777216 x 5000"),
    ],
)
def test_large_sizes_are_told_from_the_header(data: bytes, size: str) -> None:
    refused(data, ImageTooLarge, f"{size} pixels; the longest side may have 4096")


@pytest.mark.parametrize("data", [LOSSLESS, LOSSY, WITH_ALPHA])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_truncated_files(data: bytes, part: float) -> None:
    refused(data[: max(12, int(len(data) * part))], words="send the whole file")


@pytest.mark.parametrize("data", [LOSSLESS, LOSSY])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.99])
def test_pictures_that_are_cut_and_say_so_are_refused(data: bytes, part: float) -> None:
    """The container is whole; the coded picture in it is not."""
    content = coded(data)[8:]
    refused(riff(chunk(data[12:16], content[: int(len(content) * part)])), words="send (a|the) whole file")


def test_what_is_cut_behind_the_picture_takes_nothing_from_it() -> None:
    exif = chunk(b"EXIF", files.exif_block(6))
    data = riff(header(HAS_EXIF), coded(LOSSLESS), exif)
    close(data[:-5], PHOTO, EXACT)
    close(data[: -len(exif)], PHOTO, EXACT)


@pytest.mark.parametrize("behind", [b"", b"\0", b"x" * 1000, LOSSY, chunk(b"EXIF", files.exif_block(6))])
def test_what_stands_behind_the_file_changes_nothing(behind: bytes) -> None:
    close(riff(header(HAS_EXIF), coded(LOSSLESS)) + behind, PHOTO, EXACT)


def lossy_header(*, tag: int = 0x10, start: bytes = b"\x9d\x01\x2a", size: tuple[int, int] = (8, 8)) -> bytes:
    return chunk(
        b"VP8 ", (tag | 20 << 5).to_bytes(3, "little") + start + struct.pack("<HH", *size) + bytes(90)
    )


LOSSLESS_HEADER = struct.unpack("<I", LOSSLESS[21:25])[0]
WRONG = {
    "no chunk": riff(),
    "no picture": riff(header(0)),
    "no picture but alpha": riff(header(HAS_ALPHA), chunk(b"ALPH", bytes(9))),
    "an animation of no frame": animation(width=9, height=9),
    "an animation with a picture outside of its frames": animation(coded(LOSSY), width=WIDTH, height=HEIGHT),
    "another chunk first": riff(chunk(b"EXIF", b""), coded(LOSSY)),
    "two headers": riff(header(0), header(0), coded(LOSSY)),
    "alpha behind the picture": riff(header(HAS_ALPHA), coded(LOSSY), LOSSY_ALPHA),
    "alpha twice": riff(header(HAS_ALPHA), chunk(b"ALPH", b"\0"), LOSSY_ALPHA),
    "two pictures": riff(header(0), coded(LOSSY), coded(LOSSY)),
    "two pictures in a frame": animation(frame(coded(LOSSY) * 2, 0, 0), width=WIDTH, height=HEIGHT),
    "a header of 9 bytes": riff(chunk(b"VP8X", bytes(9)), coded(LOSSY)),
    "a frame of 9 bytes": animation(chunk(b"ANMF", bytes(9)), width=WIDTH, height=HEIGHT),
    "a canvas of another size": riff(header(0, WIDTH + 1), coded(LOSSY)),
    "a frame of another size": animation(frame(coded(LOSSY), 0, 0, 9, 9), width=WIDTH, height=HEIGHT),
    "a frame beyond its canvas": animation(frame(coded(LOSSY), 2, 0), width=WIDTH, height=HEIGHT),
    "a width of 0": riff(lossy_header(size=(0, 8))),
    "a picture that builds on another": riff(lossy_header(tag=0x11)),
    "a picture that is not shown": riff(lossy_header(tag=0)),
    "profile 4": riff(lossy_header(tag=0x18)),
    "another start code": riff(lossy_header(start=b"\x9d\x01\x2b")),
    "a first part beyond the end": riff(lossy_header(tag=0x10 | 200 << 5)),
    "nothing in the picture": riff(chunk(b"VP8 ", b"")),
    "nothing in the lossless picture": riff(chunk(b"VP8L", b"\x2f")),
    "another signature": riff(chunk(b"VP8L", b"\x2e" + LOSSLESS[21:])),
    "lossless version 1": riff(
        chunk(b"VP8L", b"\x2f" + struct.pack("<I", LOSSLESS_HEADER | 1 << 29) + LOSSLESS[25:])
    ),
    "pixels of nothing": riff(chunk(b"VP8L", LOSSLESS[20:25] + bytes(50))),
    "chunks without number": riff(header(0), chunk(b"XYZ ", b"") * 1_500_000, coded(LOSSY)),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_that_can_not_be_are_refused(name: str) -> None:
    refused(WRONG[name], words="WebP|broken or truncated")


@pytest.mark.parametrize(
    "changes", [{"tag": 0x11}, {"tag": 0}, *({"tag": 0x10 | profile << 1} for profile in (4, 5, 7))]
)
def test_pictures_that_are_no_whole_shown_one_of_a_known_profile(changes: dict[str, int]) -> None:
    refused(riff(lossy_header(**changes)), words="picture has a header that can't be")  # type: ignore[arg-type]


def test_other_riff_files_are_named() -> None:
    refused(b"RIFF\4\0\0\0WAVE", words="a sound file")
    refused(b"RIFF\4\0\0\0WEB", words="not recognised")


@pytest.mark.parametrize(
    "data",
    [
        LOSSLESS,
        LOSSY,
        WITH_ALPHA,
        riff(
            header(HAS_EXIF | HAS_ALPHA | 0x24),
            chunk(b"ICCP", bytes(99)),
            chunk(b"ABCD", b"VP8X"),
            WITH_ALPHA[WITH_ALPHA.index(b"ALPH") :],
            chunk(b"XMP ", b"<x/>"),
        ),
        animation(frame(coded(LOSSY), 0, 0), frame(coded(LOSSLESS), 0, 0), width=WIDTH, height=HEIGHT),
        animation(frame(chunk(b"XYZ ", b"") + coded(LOSSY), 0, 0), width=WIDTH, height=HEIGHT),
    ],
)
def test_libwebp_sees_a_header_alpha_and_one_picture(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    through = webp._decoded

    def decoded(file: bytes) -> object:
        seen.append(file)
        return through(file)

    monkeypatch.setattr(webp, "_decoded", decoded)
    webp.read(data).load(1)
    (file,) = seen
    kinds = [found.kind for found in webp_chunks.chunks(file)]
    assert kinds in ([b"VP8X", b"VP8 "], [b"VP8X", b"VP8L"], [b"VP8X", b"ALPH", b"VP8 "])
    assert len(file) == 8 + struct.unpack_from("<I", file, 4)[0]
    assert WebPImagePlugin.WebPImageFile(io.BytesIO(file)).n_frames == 1


def test_the_writer_checks_what_it_wrote() -> None:
    with pytest.raises(AssertionError):
        webp.write((8, 8), [webp_chunks.Chunk(b"VP8 x", b"")], alpha=False)


def test_a_broken_file_is_the_callers_error_in_a_pair_too() -> None:
    with pytest.raises(InvalidImage):
        decoded(WRONG["pixels of nothing"])
