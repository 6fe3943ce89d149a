"""What is recorded: the committed run gives the committed report, and a wrong file says where it is wrong."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

from bench.measure import typed_json
from bench.measure.paths import RESULTS
from bench.measure.results import Run
from bench.report.page import markdown

FULL = RESULTS / "full.json"


def test_the_committed_report_is_that_of_the_committed_run() -> None:
    run = typed_json.read(Run, json.loads(FULL.read_text()))
    assert (RESULTS / "full.md").read_text() == markdown(run)


def test_a_run_survives_its_file(tmp_path: Path) -> None:
    run = typed_json.read(Run, json.loads(FULL.read_text()))
    (tmp_path / "run.json").write_text(json.dumps(asdict(run)))
    assert typed_json.read(Run, json.loads((tmp_path / "run.json").read_text())) == run


@dataclass(frozen=True)
class Inner:
    """A record in a record."""

    number: float
    name: str | None = None


@dataclass(frozen=True)
class Outer:
    """A record with every kind of field."""

    by_count: dict[int, Inner]
    several: list[Inner] = field(default_factory=list)


def test_kinds_of_fields() -> None:
    value = {"by_count": {"4": {"number": 2, "name": "b"}}, "several": [{"number": 0.5, "name": None}]}
    assert typed_json.read(Outer, value) == Outer({4: Inner(2.0, "b")}, [Inner(0.5)])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], r"^Outer: dict expected, list found"),
        ({}, r"^Outer: unknown fields \[\], missing fields \['by_count'\]"),
        ({"by_count": {"4": {"nunber": 1}}}, r"^Outer\.by_count\.4: unknown fields \['nunber'\], missing"),
        ({"by_count": {"4": {"number": "1"}}}, r"^Outer\.by_count\.4\.number: float expected, str found"),
        ({"by_count": {"4": {"number": True}}}, r"number: float expected, bool found"),
        ({"by_count": {"4": {"number": None}}}, r"number: float expected, NoneType found"),
        ({"by_count": {"four": {"number": 1}}}, r"^Outer\.by_count: a key of type int expected, 'four'"),
        (
            {"by_count": {}, "several": [{"number": 1, "name": 5}]},
            r"^Outer\.several\[0\]\.name: str expected",
        ),
        ({"by_count": {}, "several": {}}, r"^Outer\.several: list expected, dict found"),
    ],
)
def test_a_wrong_file_says_where(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        typed_json.read(Outer, value)
