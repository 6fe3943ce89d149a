"""CONTRIBUTING.md: what its steps name is there, and its first steps for a parameter give one."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
HOW_TO = TEXT.partition("\n## How to\n")[2].partition("\n## ")[0]
CODE = re.findall(r"`([^`\s]+)`", HOW_TO)
FILE = re.compile(r"[\w./-]+\.(py|yaml|json|md)")
ROW = """    Row(
        flag="tracing",
        name="Tracing",
        group=OPERATION,
        label="Tracing",
        default="yes",
        rule=SWITCH,
        text="X-Ray traces of the API and its functions.",
    ),
"""


def names(file: Path) -> set[str]:
    """What a module defines at its top, and the methods of its classes."""
    defined = set[str]()
    for node in ast.parse(file.read_text("utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                defined.add(node.name)
            case ast.Assign(targets=targets):
                defined |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                defined.add(name)
    return defined


def test_files_and_names_are_there() -> None:
    files = [span.partition("::")[::2] for span in CODE if FILE.fullmatch(span.partition("::")[0])]
    assert len(files) > 20
    for file, name in files:
        assert (ROOT / file).is_file(), file
        assert not name or name in names(ROOT / file), f"{file}::{name}"


def test_make_targets_are_there() -> None:
    targets = {target for command in re.findall(r"`make ([^`]*)`", TEXT) for target in command.split()[:2]}
    targets = {target for target in targets if re.fullmatch(r"[a-z-]+", target)}
    assert {"unit", "check", "lock", "model"} <= targets
    for target in targets:
        planned = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True)
        assert planned.returncode == 0, planned.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copyfile(ROOT / name, target)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return folder


def run(copy: Path, *arguments: str) -> None:
    environment = os.environ | {"PYTHONPATH": str(copy), "CDK_OUTDIR": str(copy / "cdk.out")}
    subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, check=True, timeout=280)


def test_one_row_makes_a_parameter_with_its_console_flag_and_document(copy: Path) -> None:
    rows = copy / "cdk_app" / "parameter_rows.py"
    before, after = rows.read_text("utf-8").split(")\nPARAMETERS = ")
    rows.write_text(f"{before}{ROW})\nPARAMETERS = {after}", "utf-8")
    run(copy, "-m", "cdk_app.document")
    assert re.search(
        r"`tracing` \| `Tracing` \| `yes` \| `yes`, `no`", (copy / "docs" / "deploy.md").read_text()
    )
    run(copy, "app.py")
    template = json.loads((copy / "cdk.out" / "ImageSimilarity.template.json").read_text())
    assert (
        template["Parameters"]["Tracing"] | {"Default": "yes", "AllowedValues": ["yes", "no"]}
        == (template["Parameters"]["Tracing"])
    )
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    assert "Tracing" in interface["ParameterGroups"][-1]["Parameters"]
    assert interface["ParameterLabels"]["Tracing"] == {"default": "Tracing"}
