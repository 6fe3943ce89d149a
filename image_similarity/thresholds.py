"""How alike is alike enough: by what is looked for, from the calibration of a model."""

import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path


class Find(StrEnum):
    """What `pairs` looks for."""

    copies = "copies"
    edits = "edits"
    scenes = "scenes"


CALIBRATIONS = Path(__file__).with_name("calibrations.json")
"""What `make calibrate RECORD=1` measured, by model; the API Explorer tells scores in words by the same file.

`thresholds`: what 19 of 20 pairs of a kind reach, in steps of 0.01. Kinds: copies made smaller or saved
again, all altered copies, two views of a scene. `different`: scores of pairs of different pictures: their
median, what 19 of 20 stay below (`most`), and the highest. `pictures` is how many were measured
(docs/performance.md)."""
CAUTIOUS = 0.95
"""For models without a calibration, by default: it finds fewer copies rather than pictures that are none."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least similarity in a group, and where it comes from."""

    value: float
    source: str


class NotCalibrated(Exception):
    """There is no number for a model; the message says what to do."""


@cache
def calibrated() -> dict[str, dict[Find, float]]:
    """The thresholds of each model that has a calibration."""
    models = json.loads(CALIBRATIONS.read_text("utf-8"))["models"]
    return {
        name: {Find(kind): value for kind, value in model["thresholds"].items()}
        for name, model in models.items()
    }


KINDS = {Find.copies: "a copy", Find.edits: "an altered copy", Find.scenes: "the same scene"}
"""What a pair is that is alike enough for one kind and not for the one before it; the Explorer's words."""


def in_words(model: str, similarity: float) -> str | None:
    """What a similarity means, by the model's calibration; None where it has none."""
    if similarity == 1:
        return "the same picture"
    numbers = calibrated().get(model)
    if numbers is None:
        return None
    for kind, meaning in KINDS.items():
        if similarity >= numbers[kind]:
            return f"{meaning} ({numbers[kind]:g} or more)"
    return f"unrelated (under {numbers[Find.scenes]:g})"


def choose(model: str, given: float | None, find: Find | None) -> Threshold:
    """The threshold for a model's similarities.

    Args:
        model: as in the API's X-Model header.
        given: a number that was asked for.
        find: a kind of pairs that was asked for; none: copies, where there is a calibration.

    Raises:
        NotCalibrated: a kind was asked for, and the model has no calibration.
    """
    if given is not None:
        return Threshold(given, "as given")
    numbers = calibrated().get(model)
    if numbers is not None:
        kind = find or Find.copies
        return Threshold(numbers[kind], f"{kind.value}, by the calibration of {model}")
    if find is not None:
        raise NotCalibrated(
            f"There is no calibration of the model {model or 'that answers'}: give --threshold instead of "
            "--find. make calibrate MODEL_DIR=... prints what its scores mean."
        )
    return Threshold(CAUTIOUS, f"a cautious number: {model or 'the model'} is not calibrated")
