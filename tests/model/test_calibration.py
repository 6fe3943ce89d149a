"""The numbers by which scores are told in words are those that the committed model gives."""

import json
from pathlib import Path

import pytest

from api_explorer.document import document
from bench.measure import calibration
from bench.measure.calibration import Calibration
from bench.measure.paths import CALIBRATIONS, EMBEDDED
from bench.measure.scenes import pictures
from bench.report.calibration import numbers, record
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.thresholds import Find, calibrated


@pytest.fixture(scope="module")
def scores() -> Calibration:
    return calibration.measure(OnnxEncoder(EMBEDDED, threads=1), pictures())


def test_the_kept_numbers_are_those_that_are_measured(scores: Calibration, tmp_path: Path) -> None:
    kept = json.loads(CALIBRATIONS.read_text("utf-8"))["models"][scores.model]
    measured = numbers(scores)
    assert kept["pictures"] == measured["pictures"]
    assert kept["thresholds"] == measured["thresholds"]
    assert kept["different"] == pytest.approx(measured["different"], abs=2e-3)
    other = tmp_path / "calibrations.json"
    other.write_text('{"models": {"another": {}}}', "utf-8")
    record(scores, other)
    assert json.loads(other.read_text("utf-8"))["models"] == {"another": {}, scores.model: measured}


def test_the_command_line_and_the_explorer_go_by_the_same_numbers() -> None:
    models = document()["x-calibrations"]
    assert calibrated().keys() == models.keys()
    for name, thresholds in calibrated().items():
        assert {kind.value: value for kind, value in thresholds.items()} == models[name]["thresholds"]
        assert thresholds[Find.copies] > thresholds[Find.edits] > thresholds[Find.scenes]
        assert thresholds[Find.scenes] > models[name]["different"]["most"]
