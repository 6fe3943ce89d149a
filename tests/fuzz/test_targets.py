"""The fuzzing targets over their seeds and mutations of them: the short run that every test run has."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
MUTATIONS_A_SEED = 10


def seeds(target: str) -> list[bytes]:
    return [file.read_bytes() for file in sorted((CORPUS / target).iterdir())]


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, a piece doubled, cut out or put in."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 6)):
        start = chance.randint(0, len(data))
        end = min(len(data), start + chance.choice([1, 1, 2, 4, 30]))
        kind = chance.randrange(4)
        if kind == 0:
            data[start:end] = chance.randbytes(end - start)
        elif kind == 1:
            data[start:end] = bytes(data[start:end]) * 2
        elif kind == 2:
            del data[start:end]
        else:
            data[start:start] = chance.choice(
                [b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\r\n", b"\xff\xda"]
            )
    return bytes(data)


@pytest.mark.parametrize("target", TARGETS)
def test_seeds_and_their_mutations(target: str) -> None:
    chance, found = random.Random(target), seeds(target)
    assert len(found) > 3
    for seed in found:
        TARGETS[target](seed)
        for _ in range(MUTATIONS_A_SEED):
            TARGETS[target](mutated(seed, chance))


@pytest.mark.parametrize("target", ["request", "base64", "url", "address", "exif"])
@given(data=st.binary(max_size=64))
@settings(max_examples=100, deadline=None, derandomize=True)
def test_any_bytes(target: str, data: bytes) -> None:
    TARGETS[target](data)


@given(text=st.from_regex(r"(?i)https?://[^/]{0,12}(/.{0,8})?", fullmatch=True))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_anything_like_a_url(text: str) -> None:
    TARGETS["url"](text.encode("utf-8", "surrogatepass"))
