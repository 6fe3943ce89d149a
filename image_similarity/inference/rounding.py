"""Numbers as the API writes them."""

import numpy as np
from numpy.typing import NDArray

DECIMALS = 6


def rounded(vector: NDArray[np.float32]) -> list[float]:
    """A vector as JSON numbers of six decimals, without negative zeros."""
    numbers: list[float] = (np.round(vector.astype(np.float64), DECIMALS) + 0.0).tolist()
    return numbers
