"""What the audit makes of its tools' answers: vulnerable, clean, no answer, and half of one."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from supply_chain import audit

ROOT = Path(__file__).resolve().parents[3]
CLEAN_NPM = {"auditReportVersion": 2, "vulnerabilities": {}, "metadata": {"vulnerabilities": {"total": 0}}}
# As npm and pip-audit write them where their services are not.
NO_NPM = {
    "message": "405 Method Not Allowed - POST https://registry.example/bulk",
    "statusCode": 405,
    "error": {},
}
FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["9.9"], "aliases": [], "description": "bad"}
NPM_FLAWS = {
    "swagger": {
        "name": "swagger",
        "severity": "high",
        "via": [{"title": "XSS", "url": "https://advisories.example/1"}],
    },
    "page": {"name": "page", "severity": "high", "via": ["swagger"]},
}


class Tools:
    """pip-audit and npm that answer what a test says."""

    def __init__(self) -> None:
        self.npm: dict[str, object] = CLEAN_NPM
        self.npm_code, self.skipped, self.flawed, self.dropped = 0, set[str](), set[str](), set[str]()
        self.asked: list[tuple[str, str]] = []
        self.commands: list[tuple[str, Path]] = []

    def __call__(self, command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
        self.commands.append((command[0], folder))
        if command[0] == "npm":
            return subprocess.CompletedProcess(command, self.npm_code, json.dumps(self.npm), "npm error")
        pins = [line.split("==") for line in Path(command[-1]).read_text().splitlines()]
        assert len({name for name, _ in pins}) == len(pins)
        self.asked += [(name, version) for name, version in pins]
        entries = [self.entry(name, version) for name, version in pins if name not in self.dropped]
        code = int(any(entry.get("vulns") for entry in entries))
        return subprocess.CompletedProcess(
            command, code, json.dumps({"dependencies": entries, "fixes": []}), ""
        )

    def entry(self, name: str, version: str) -> dict[str, object]:
        if name in self.skipped or "all" in self.skipped:
            return {"name": name, "skip_reason": f"Dependency not found on PyPI: {name} ({version})"}
        return {"name": name, "version": version, "vulns": [FLAW] if name in self.flawed else []}


@pytest.fixture
def tools() -> Tools:
    return Tools()


def result(tools: audit.Run, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = audit.main(options, tools)
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_all_clean(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    for options in ((), ("--offline-ok",)):
        code, output = result(tools, capsys, *options)
        assert code == 0
        assert "no known vulnerability" in output
        assert "NOT AUDITED" not in output


def test_every_lock_is_asked_about_and_every_package_once(
    tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    assert result(tools, capsys)[0] == 0
    pins = audit.locked(ROOT)
    assert sorted(tools.asked) == sorted(pins)
    assert {lock for locks in pins.values() for lock in locks} == set(audit.LOCKS)
    assert {folder for name, folder in tools.commands if name == "npm"} == {ROOT, ROOT / "tests" / "tools"}


def test_no_lock_is_forgotten() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [Path(line) for line in tracked.splitlines()]
    hashed = {str(file) for file in files if file.suffix == ".txt" and "--hash=" in (ROOT / file).read_text()}
    assert hashed | {"supply_chain/torch.txt"} == set(audit.LOCKS)
    assert {file.parent for file in files if file.name == "package-lock.json"} == set(
        map(Path, audit.NPM_FOLDERS)
    )


@pytest.mark.parametrize("options", [(), ("--offline-ok",)])
def test_a_vulnerable_package_fails_whatever_is_allowed(
    options: tuple[str, ...], tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.flawed = {"pillow"}
    code, output = result(tools, capsys, *options)
    assert code == 1
    line = next(line for line in output.splitlines() if line.startswith("VULNERABLE: pillow "))
    assert "PYSEC-2026-1, fixed in 9.9" in line
    assert "lambda/requirements.txt" in line


@pytest.mark.parametrize("options", [(), ("--offline-ok",)])
def test_a_vulnerable_npm_package_fails_whatever_is_allowed(
    options: tuple[str, ...], tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    tools.npm, tools.npm_code, tools.skipped = {"vulnerabilities": NPM_FLAWS}, 1, {"all"}
    code, output = result(tools, capsys, *options)
    assert code == 1
    assert "VULNERABLE: swagger (./package-lock.json): high, https://advisories.example/1" in output
    assert "VULNERABLE: page (tests/tools/package-lock.json): high, through swagger" in output
    assert "NOT AUDITED: " in output


def test_services_that_do_not_answer(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.npm, tools.npm_code, tools.skipped = NO_NPM, 1, {"all"}
    code, output = result(tools, capsys)
    assert code == 1
    assert "NOT AUDITED: tests/tools/package-lock.json: 405 Method Not Allowed" in output
    assert "Dependency not found on PyPI" in output
    code, output = result(tools, capsys, "--offline-ok")
    assert code == 0
    assert "NOT AUDITED: ./package-lock.json" in output
    assert "NOT AUDITED: passed over here; run `make audit`" in output


@pytest.mark.parametrize("how", ["skipped", "dropped"])
def test_half_an_answer_is_none_for_the_rest(
    how: str, tools: Tools, capsys: pytest.CaptureFixture[str]
) -> None:
    setattr(tools, how, {"uv"})
    code, output = result(tools, capsys)
    assert code == 1
    assert "NOT AUDITED: 1 of " in output
    assert "(uv " in output
    tools.flawed = {"pillow"}
    code, output = result(tools, capsys, "--offline-ok")
    assert code == 1
    assert "VULNERABLE: pillow " in output


@pytest.mark.parametrize("stdout", ["", "<html>", "[]", "null"])
def test_tools_that_break_down(stdout: str, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(command: Sequence[str], _: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, stdout, "Traceback\nConnectionError: no way out\n")

    code, output = result(broken, capsys)
    assert code == 1
    assert output.count("ConnectionError: no way out") >= 3
    assert result(broken, capsys, "--offline-ok")[0] == 0


def test_an_npm_that_fails_without_a_finding(tools: Tools, capsys: pytest.CaptureFixture[str]) -> None:
    tools.npm_code = 1
    code, output = result(tools, capsys)
    assert code == 1
    assert "NOT AUDITED: ./package-lock.json" in output
