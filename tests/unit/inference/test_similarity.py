import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from image_similarity.inference.similarity import score

VECTORS = arrays(np.float32, 512, elements=st.floats(-1e3, 1e3, width=32))
ANY_VECTORS = arrays(np.float32, 512, elements=st.floats(width=32))


def unit(index: int) -> np.ndarray:
    return np.eye(512, dtype=np.float32)[index]


def test_known_angles() -> None:
    assert score(unit(0), unit(1)) == 0.5
    assert score(unit(0), -unit(0)) == 0.0
    assert score(unit(0), unit(0) + unit(1)) == pytest.approx((1 + math.sqrt(0.5)) / 2, abs=1e-12)


@pytest.mark.slow
@given(VECTORS)
def test_the_same_vector_is_exactly_one(vector: np.ndarray) -> None:
    assert score(vector, vector.copy()) == 1.0


@pytest.mark.slow
@given(VECTORS, VECTORS)
def test_length_does_not_matter_much(a: np.ndarray, b: np.ndarray) -> None:
    assert score(a, b) == pytest.approx(score(a * np.float32(2), b), abs=1e-12)


@pytest.mark.slow
@given(ANY_VECTORS, ANY_VECTORS)
def test_symmetric_bounded_and_never_nan(a: np.ndarray, b: np.ndarray) -> None:
    forth, back = score(a, b), score(b, a)
    assert forth == back
    assert 0.0 <= forth <= 1.0


@pytest.mark.parametrize("value", [0.0, math.nan, math.inf, -math.inf])
def test_a_vector_without_direction(value: float) -> None:
    odd = np.full(512, value, dtype=np.float32)
    assert score(odd, odd) == 1.0
    assert score(odd, unit(3)) == 0.5
    assert score(unit(3), odd) == 0.5


@pytest.mark.parametrize("seed", range(20))
def test_random_unit_vectors_agree_with_the_definition(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, 512)).astype(np.float32)
    cosine = math.fsum(map(float, a.astype(float) * b)) / (np.linalg.norm(a) * np.linalg.norm(b))
    assert score(a, b) == pytest.approx((1 + cosine) / 2, abs=1e-6)
