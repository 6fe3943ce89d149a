"""What these measurements record. bench/results/duplicates.json is this."""

from dataclasses import dataclass

from bench.measure.catalogue.results import Circumstances
from bench.measure.duplicates.accuracy import Accuracy


@dataclass(frozen=True)
class Command:
    """`image-similarity pairs` on one folder: seconds of runs, and MB of 10^6 bytes.

    Attributes:
        files: in the folder.
        photographs: of which the others are altered copies.
        first_seconds: with an empty index.
        second_seconds: again.
        report_seconds: again, with a report.
        report_mb: of the report.
        peak_mb: of memory in the first run.
        report_peak_mb: of memory in the run with a report.
        groups: that were found.
        group_precision: of the groups' pairs, the share that shows one photograph.
        grouped: of the copies, the share that is in a group with another file of its photograph.
    """

    files: int
    photographs: int
    first_seconds: float
    second_seconds: float
    report_seconds: float
    report_mb: float
    peak_mb: float
    report_peak_mb: float
    groups: int
    group_precision: float
    grouped: float


@dataclass(frozen=True)
class Hash:
    """A hash of imagededup on one folder: seconds of hashing and finding, and MB of 10^6 bytes."""

    method: str
    files: int
    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Row:
    """How exact one tool is at one threshold: of a similarity, or of differing bits."""

    tool: str
    threshold: str
    accuracy: Accuracy


@dataclass(frozen=True)
class Duplicates:
    """All of it; `rows` is of the largest folder, `kinds` names the columns of `by_kind`."""

    model: str
    imagededup: str
    kinds: list[str]
    commands: list[Command]
    hashes: list[Hash]
    rows: list[Row]
    circumstances: Circumstances
