import json

import numpy as np

from image_similarity.inference.rounding import rounded


def test_numbers_have_six_decimals_and_no_negative_zero() -> None:
    vector = np.array([1 / 3, -1e-9, -0.1234565], dtype=np.float32)
    assert json.dumps(rounded(vector)) == "[0.333333, 0.0, -0.123457]"
