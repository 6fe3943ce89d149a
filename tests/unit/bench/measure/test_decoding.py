"""The comparison of readers of JPEG: what it counts as the same pixels, and what its table says."""

import io

import numpy as np
import pytest
from PIL import Image

from bench.measure import decoding


def file() -> bytes:
    buffer = io.BytesIO()
    Image.effect_noise((64, 48), 50).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def altered(data: bytes) -> decoding.Pixels:
    pixels = np.asarray(decoding.pillow(data)).copy()
    pixels[0, 0] ^= 128  # far from what it was, whatever the noise
    pixels[0, 1, 0] ^= 1
    return pixels


def test_pixels_that_differ_are_counted() -> None:
    readers: dict[str, decoding.Read] = {
        "ours": decoding.pillow,
        "the same": decoding.pillow,
        "another": altered,
    }
    rows = decoding.measure(readers, file(), "noise", rounds=2)
    assert [row.reader for row in rows] == list(readers)
    assert [row.differing for row in rows] == [0, 0, 4 / (64 * 48 * 3)]
    assert rows[1].largest == 0
    assert rows[2].largest > 1
    assert rows[0].of_pillow == 1
    table = decoding.markdown(rows).splitlines()
    assert table[2].startswith("| ours | noise | ")
    assert table[4].endswith(f" | 0.04% | {rows[2].largest} |")


def test_a_picture_of_another_size_is_no_comparison() -> None:
    with pytest.raises(ValueError, match=r"\(24, 32, 3\) pixels were read where Pillow reads \(48, 64, 3\)"):
        decoding.difference(np.zeros((48, 64, 3), np.uint8), np.zeros((24, 32, 3), np.uint8))


@pytest.mark.slow
def test_pillow_is_always_there_and_scales() -> None:
    (whole, *_), (half, *_) = decoding.whole().values(), decoding.half().values()
    buffer = io.BytesIO()
    Image.new("RGB", (4096, 3072)).save(buffer, "JPEG")
    assert np.asarray(whole(buffer.getvalue())).shape == (3072, 4096, 3)
    assert np.asarray(half(buffer.getvalue())).shape == (1536, 2048, 3)
