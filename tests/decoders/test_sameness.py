"""A confined decoder gives what the same code gives here, for good and bad files of every layout.

It may open nothing and import nothing more: what is missing there shows as a defect, never as a broken file.
"""

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.inference import image
from image_similarity.inference.decoders import Decoder, InProcess
from image_similarity.inference.decoders.limits import Limits
from image_similarity.inference.decoders.processes import DecoderProcesses
from image_similarity.inference.errors import ApiError
from image_similarity.inference.manifest import Preprocessing
from tests.fuzz.seeds import seeds
from tests.security.attacks import attacks
from tests.support import files
from tests.unit.inference.image.test_refusals import PHOTO

ORDINARY: dict[str, Callable[[], bytes]] = {
    **{
        f"{kind}, {mode}": partial(files.saved, PHOTO.convert(mode), kind)
        for kind, modes in {
            "JPEG": ("L", "RGB", "CMYK"),
            "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
            "BMP": ("1", "L", "P", "RGB", "RGBA"),
        }.items()
        for mode in modes
    },
    "progressive": partial(files.saved, PHOTO, "JPEG", progressive=True),
    "small": partial(files.saved, PHOTO.resize((50, 40)), "PNG"),
    "long": partial(files.saved, PHOTO.resize((1500, 30)), "PNG"),
    "large": partial(files.saved, PHOTO.resize((3000, 2000)), "JPEG"),
}
PREPROCESSINGS = (
    Preprocessing(size=224),
    Preprocessing(size=64, interpolation="bilinear", resize_mode="squash", draft_factor=0),
)


@pytest.fixture(scope="module")
def decoders() -> Iterator[DecoderProcesses]:
    made = DecoderProcesses(Limits(processor_seconds=20, clock_seconds=60), size=1)  # a busy machine is slow
    yield made
    made.close()


def outcome(decoder: Decoder, data: bytes, pre: Preprocessing) -> tuple[str, NDArray[np.uint8] | None]:
    try:
        return "", decoder.decode(data, preprocessing=pre)
    except ApiError as error:
        return f"{error.code} {error.message}", None


def assert_same(decoders: DecoderProcesses, data: bytes, pre: Preprocessing = PREPROCESSINGS[0]) -> None:
    here, there = outcome(InProcess(), data, pre), outcome(decoders, data, pre)
    assert there[0] == here[0]
    np.testing.assert_equal(there[1], here[1])


@pytest.mark.parametrize("pre", PREPROCESSINGS, ids=["224", "64"])
def test_ordinary_pictures(decoders: DecoderProcesses, pre: Preprocessing) -> None:
    for make in ORDINARY.values():
        assert outcome(decoders, make(), pre)[0] == ""
        assert_same(decoders, make(), pre)


@pytest.mark.parametrize("kind", ["not an image", "truncated", "broken", "other JPEG", "ballast", "dear"])
def test_attacks_and_pictures_at_the_limits(decoders: DecoderProcesses, kind: str) -> None:
    for attack in attacks():
        if attack.kind == kind and attack.file:
            assert_same(decoders, attack.file())


def test_seeds_of_the_fuzzer(decoders: DecoderProcesses) -> None:
    for each in (data for group in seeds().values() for data in group):
        assert_same(decoders, each)


def test_every_orientation(decoders: DecoderProcesses) -> None:
    for orientation in range(1, 9):
        exif = files.segment(0xE1, b"Exif\0\0" + files.exif_block(orientation))
        assert_same(decoders, files.with_segments(files.saved(PHOTO, "JPEG"), exif))


def test_the_function_is_the_service_s_own() -> None:
    assert Limits().function == f"{image.__name__}:{image.decode.__name__}"
