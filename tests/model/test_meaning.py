"""What the committed model is good for, on real pictures: altered copies against different pictures."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from bench.measure.altered import ALTERATIONS, png
from bench.measure.scenes import pictures
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.image import decode
from image_similarity.inference.similarity import score

MODEL = Path(__file__).parents[2] / "image_similarity" / "models" / "embedded"
Vector = NDArray[np.float32]


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return OnnxEncoder(MODEL, threads=1)


def inputs(encoder: OnnxEncoder, files: list[bytes]) -> NDArray[np.uint8]:
    pre = encoder.manifest.preprocessing
    return np.stack([decode(file, preprocessing=pre) for file in files])


@pytest.fixture(scope="module")
def originals(encoder: OnnxEncoder) -> dict[str, Vector]:
    return {name: encoder.encode(inputs(encoder, [png(p)]))[0] for name, p in pictures().items()}


def test_there_are_thirty_different_pictures() -> None:
    assert len(pictures()) >= 30
    assert len({p.tobytes() for p in pictures().values()}) == len(pictures())


def test_altered_copies_against_different_pictures(
    encoder: OnnxEncoder, originals: dict[str, Vector], capsys: pytest.CaptureFixture[str]
) -> None:
    same = [
        score(originals[name], encoder.encode(inputs(encoder, [png(alter(picture))]))[0])
        for name, picture in pictures().items()
        for alter in ALTERATIONS.values()
    ]
    different = [score(a, b) for a, b in combinations(originals.values(), 2)]
    auc = roc_auc_score([1] * len(same) + [0] * len(different), same + different)
    with capsys.disabled():
        print(
            f"\nembedded, {len(pictures())} pictures: AUC {auc:.4f}, median score of {len(same)} altered "
            f"copies {np.median(same):.3f}, of {len(different)} pairs of pictures {np.median(different):.3f}"
        )
    assert auc >= 0.99
    assert np.median(same) - np.median(different) > 0.25


def test_a_batch_of_two_is_two_singles(encoder: OnnxEncoder, originals: dict[str, Vector]) -> None:
    files = [png(picture) for picture in pictures().values()]
    for a, b in zip(files[::2], files[1::2], strict=False):
        batch = inputs(encoder, [a, b])
        pair = encoder.encode(batch)
        singles = np.concatenate([encoder.encode(batch[:1]), encoder.encode(batch[1:])])
        assert np.abs(pair - singles).max() <= 1e-5
        swapped = encoder.encode(batch[::-1].copy())
        assert round(score(*pair), 6) == round(score(*swapped), 6)


def test_vectors_have_length_one_and_are_finite(encoder: OnnxEncoder, originals: dict[str, Vector]) -> None:
    vectors = np.stack(list(originals.values()))
    assert vectors.shape[1:] == (512,)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("level", [0, 1, 127, 128, 255])
def test_constant_pictures_have_a_direction(encoder: OnnxEncoder, level: int) -> None:
    size = encoder.manifest.preprocessing.size
    flat = encoder.encode(np.full((1, size, size, 3), level, dtype=np.uint8))[0]
    grey = encoder.encode(np.full((1, size, size, 3), 128, dtype=np.uint8))[0]
    assert np.isfinite(flat).all()
    assert np.linalg.norm(flat) == pytest.approx(1, abs=1e-6)
    assert 0.0 <= score(flat, grey) <= 1.0
