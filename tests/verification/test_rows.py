"""Every row passes on the good stack and fails on its sabotaged one."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from tests.verification.catalogue import CATALOGUE
from tests.verification.catalogue_sabotages import CATALOGUE_SABOTAGES
from tests.verification.place import SUPPLIED, Place, written_by
from tests.verification.sabotage import Sabotage
from tests.verification.sabotages import LEAKING, SABOTAGES
from verify.checks.all import LAST, ROWS
from verify.cloud import Cloud
from verify.command import choice, parser
from verify.rows import Backend, Result, Row
from verify.run import Choice, Run

NOT_HERE = {"gpu": "has no GPU"}
"""Rows that no good stack on this machine can pass, with the reason that they give."""
SABOTAGED = {**SABOTAGES, **CATALOGUE_SABOTAGES}
BY_NAME = {row.name: row for row in ROWS}
Backends = tuple[Backend, ...]


def run(
    cloud: Cloud, rows: Sequence[Row], here: Place, supplied: Mapping[str, str] = SUPPLIED
) -> list[Result]:
    pictures = choice(parser("").parse_args(["--picture", here.picture])).pictures
    verified = Run(cloud, Choice(rows, LAST, pictures, supplied, delete=True), lambda text: None)
    verified.start()
    return verified.results


@pytest.fixture(scope="module")
def good(here: Place) -> list[Result]:
    """The whole program on the stack as it is."""
    with here.stack(CATALOGUE) as cloud:
        return run(cloud, ROWS, here)


def only(name: str, sabotage: Sabotage) -> list[Row]:
    """The row and those before it, on the sabotage's backend alone."""
    backends: Backends = ("lambda", "sagemaker") if sabotage.backend == "both" else (sabotage.backend,)  # type: ignore[assignment]
    return [replace(BY_NAME[item], backends=backends) for item in sabotage.before] + [
        BY_NAME[name] if BY_NAME[name] in LAST else replace(BY_NAME[name], backends=backends)
    ]


def test_every_row_has_its_sabotage() -> None:
    assert SABOTAGED.keys() == BY_NAME.keys()
    assert len(BY_NAME) == len(ROWS)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", BY_NAME)
def test_a_row_passes_on_the_good_stack(name: str, good: list[Result]) -> None:
    results = [item for item in good if item.row.name == name]
    assert results
    if name in NOT_HERE:
        assert [item.verdict for item in results] == ["skipped"]
        assert NOT_HERE[name] in results[0].seen
        return
    assert [(item.backend, item.seen) for item in results if item.verdict != "pass"] == []


@pytest.mark.parametrize(("name", "sabotage"), [*SABOTAGED.items(), ("log-line", LEAKING)])
def test_a_row_fails_on_its_sabotaged_stack(name: str, sabotage: Sabotage, here: Place) -> None:
    assembly = here.assembly
    if sabotage.outputs is not None:
        assembly = written_by(assembly, sabotage.outputs)
    template = sabotage.applied(assembly.template)
    with here.stack(sabotage.parameters, template, assembly, sabotage.quirks) as cloud:
        results = [item for item in run(cloud, only(name, sabotage), here) if item.row.name == name]
    assert [item.verdict for item in results] == ["fail"], results
    assert re.search(sabotage.seen, results[0].seen), results[0].seen
