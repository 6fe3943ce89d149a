"""What the page says of a score, by the calibration of the model that gave it."""

import json
import subprocess
from typing import Any

import pytest

from api_explorer.document import document
from tests.support.modules import NODE, PAGE

MODEL = "embedded/efficientnet_lite0-imagenet"


def kinds(model: str, scores: list[float]) -> list[Any]:
    """Of each score: the kind, and the place on the scale."""
    program = f"""
      import {{ startCalibration }} from {json.dumps((PAGE / "calibration.js").as_uri())};
      const calibration = startCalibration();
      const measured = {json.dumps(document()["x-calibrations"])};
      calibration.use({json.dumps(model)}, measured[{json.dumps(model)}]);
      const all = {json.dumps(scores)}.map((score) => [calibration.kind(score), calibration.place(score)]);
      console.log(JSON.stringify(all));
    """
    command = [str(NODE), "--input-type=module", "--eval", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    answer: list[Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_each_kind_begins_at_its_threshold() -> None:
    known = document()["x-calibrations"][MODEL]
    limits = known["thresholds"]
    begin = {
        "unclear": known["different"]["most"],
        "scene": limits["scenes"],
        "edit": limits["edits"],
        "copy": limits["copies"],
    }
    below = dict(zip(begin, ["unrelated", *begin], strict=False))
    for kind, limit in begin.items():
        assert [found for found, _ in kinds(MODEL, [limit, limit - 0.001])] == [kind, below[kind]]
    assert kinds(MODEL, [1.0, 0.9999994, 0.2])[0] == ["same", 1]
    assert kinds(MODEL, [0.9999994])[0][0] == "copy"


@pytest.mark.slow
def test_the_scale_begins_at_what_different_pictures_have() -> None:
    median = document()["x-calibrations"][MODEL]["different"]["median"]
    places = [place for _, place in kinds(MODEL, [0.1, median, (1 + median) / 2, 1.0])]
    assert places[:2] == [0, 0]
    assert round(places[2], 6) == 0.5
    assert places[3] == 1


@pytest.mark.slow
def test_a_model_without_a_calibration_is_given_no_words() -> None:
    assert [kind for kind, _ in kinds("ViT-B-32/laion2b_s34b_b79k", [0.2, 0.9, 1.0])] == [
        "unknown",
        "unknown",
        "same",
    ]
