"""The score of two embeddings."""

import numpy as np
from numpy.typing import NDArray


def score(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """(1 + cosine) / 2 of two vectors [512] of any length: in [0, 1], symmetric, never NaN.

    Equal vectors give exactly 1.0, opposite ones 0.0, unrelated directions 0.5. A vector without direction
    (all zeros, or not finite) is unrelated to everything but itself.
    """
    if np.array_equal(a, b, equal_nan=True):
        return 1.0
    if not (np.isfinite(a).all() and np.isfinite(b).all() and a.any() and b.any()):
        return 0.5
    # float64: a float32 dot product of 512 terms is off by up to 1e-6, which the API's 6 decimals would show
    x, y = a.astype(np.float64), b.astype(np.float64)
    lengths = np.sqrt((x @ x) * (y @ y))
    return float(np.clip((1.0 + (x @ y) / lengths) / 2.0, 0.0, 1.0))
