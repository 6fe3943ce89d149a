"""How alike is alike enough: by what is looked for, from the calibration of a model."""

from dataclasses import dataclass
from enum import StrEnum


class Find(StrEnum):
    """What `pairs` looks for."""

    copies = "copies"
    edits = "edits"
    scenes = "scenes"


CALIBRATED = {
    "embedded/efficientnet_lite0-imagenet": {Find.copies: 0.91, Find.edits: 0.86, Find.scenes: 0.80}
}
"""By model: what 19 of 20 pairs of a kind reach, in steps of 0.01, among the 33 pictures of `make calibrate`
(docs/performance.md). Kinds: copies made smaller or saved again, all altered copies, two views of a scene.
None of the 528 pairs of different pictures reaches any of the numbers; the likest one has 0.787."""
CAUTIOUS = 0.95
"""For models without a calibration, by default: it finds fewer copies rather than pictures that are none."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The least similarity in a group, and where it comes from."""

    value: float
    source: str


class NotCalibrated(Exception):
    """There is no number for a model; the message says what to do."""


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
    numbers = CALIBRATED.get(model)
    if numbers is not None:
        kind = find or Find.copies
        return Threshold(numbers[kind], f"{kind.value}, by the calibration of {model}")
    if find is not None:
        raise NotCalibrated(
            f"There is no calibration of the model {model or 'that answers'}: give --threshold instead of "
            "--find. make calibrate MODEL_DIR=... prints what its scores mean."
        )
    return Threshold(CAUTIOUS, f"a cautious number: {model or 'the model'} is not calibrated")
