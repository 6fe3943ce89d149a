"""docs/threat-model.md: each threat has its control and tests, and each test it names is there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "threat-model.md").read_text()
THREATS = TEXT[TEXT.index("\n## Threats") : TEXT.index("\n## Left to the deployer")]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in THREATS.splitlines()
    if line.startswith("| ") and not line.startswith(("| threat |", "| --- |"))
]
NODES = sorted({node for row in ROWS for node in re.findall(r"`([^`]+)`", row[-1])})
FILES = sorted(set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT)))


@cache
def names_in(file: str) -> frozenset[str]:
    """Names of a file's tests, those of classes as Class::name."""
    found = set()
    for node in ast.parse((ROOT / file).read_text()).body:
        body, prefix = (node.body, f"{node.name}::") if isinstance(node, ast.ClassDef) else ([node], "")
        found |= {
            prefix + each.name for each in body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
        }
    return frozenset(name for name in found if name.split("::")[-1].startswith("test_"))


def test_it_has_its_tables() -> None:
    assert len(ROWS) > 45
    assert len(NODES) > 70


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_each_threat_has_a_control_and_a_test(row: list[str]) -> None:
    assert len(row) == 3
    threat, control, shown_by = row
    assert threat
    assert control
    assert re.fullmatch(r"`tests/[\w/]+\.py::[\w:]+`(, `tests/[\w/]+\.py::[\w:]+`)*", shown_by)


@pytest.mark.parametrize("node", NODES)
def test_each_named_test_exists(node: str) -> None:
    file, _, name = node.partition("::")
    assert name in names_in(file)


@pytest.mark.parametrize("file", FILES)
def test_each_named_file_exists(file: str) -> None:
    assert names_in(file)
