"""`make audit`: known vulnerabilities of everything that is locked, Python's and npm's.

Asks the advisory services through pip-audit and npm. A package without an answer has not been audited, which
is a failure too; `--offline-ok` tolerates that where they can't be reached, but never a vulnerability.

Why not the tools alone: pip-audit omits packages that a lock has for other platforms and Pythons, exits with
the same code for a vulnerability and for no answer, and skips packages that it got no answer for.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
LOCKS = (
    "requirements.txt",
    "requirements-uv.txt",
    "lambda/requirements.txt",
    "sagemaker/requirements.txt",
    "sagemaker/requirements-gpu.txt",
    "supply_chain/requirements-export.txt",
    "supply_chain/torch.txt",
    "tests/fuzz/requirements.txt",
    "tests/mutants/requirements.txt",
)
NPM_FOLDERS = (".", "tests/tools")
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
NAMED = 5
"""How many unanswered packages a message names."""

Package = tuple[str, str]
Run = Callable[[Sequence[str], Path], subprocess.CompletedProcess[str]]


@dataclass
class Audit:
    """The result: a sentence for each vulnerability, and for whatever got no answer."""

    vulnerabilities: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)


def locked(root: Path) -> dict[Package, list[str]]:
    """Name and version of every locked package, for any platform, with the locks that hold it."""
    packages: dict[Package, list[str]] = defaultdict(list)
    for lock in LOCKS:
        for name, version in PINNED.findall((root / lock).read_text(encoding="utf-8")):
            packages[canonicalize_name(name), str(Version(version))].append(lock)
    return packages


def audit_python(packages: Mapping[Package, Sequence[str]], run: Run, audit: Audit) -> None:
    """Ask pip-audit about all packages, once for each; it takes one version of a name at a time."""
    rounds: list[dict[str, str]] = []
    for name, version in packages:
        free = next((pins for pins in rounds if name not in pins), None)
        if free is None:
            rounds.append(free := {})
        free[name] = version
    with tempfile.TemporaryDirectory() as folder:
        for pins in rounds:
            file = Path(folder) / "requirements.txt"
            file.write_text(
                "".join(f"{name}=={version}\n" for name, version in pins.items()), encoding="utf-8"
            )
            command = ["pip-audit", "--progress-spinner=off", "--format=json", "--no-deps", "--disable-pip"]
            _read_python(run([*command, "-r", str(file)], ROOT), pins, packages, audit)


def _read_python(
    done: subprocess.CompletedProcess[str],
    sent: Mapping[str, str],
    locks: Mapping[Package, Sequence[str]],
    audit: Audit,
) -> None:
    answered, why = set(), "no answer"
    report, failure = _report(done)
    for entry in report.get("dependencies", ()):
        why = entry.get("skip_reason", why)
        if "skip_reason" not in entry:
            answered.add((entry["name"], entry["version"]))
        for flaw in entry.get("vulns", ()):
            fixed = ", ".join(flaw["fix_versions"]) or "no version yet"
            where = ", ".join(locks.get((entry["name"], entry["version"]), ()))
            audit.vulnerabilities.append(
                f"{entry['name']} {entry['version']} ({where}): {flaw['id']}, fixed in {fixed}"
            )
    if missing := [f"{name} {version}" for name, version in sent.items() if (name, version) not in answered]:
        names = ", ".join(missing[:NAMED]) + (" and others" if len(missing) > NAMED else "")
        audit.unanswered.append(f"{len(missing)} of {len(sent)} Python packages ({names}): {failure or why}")


def audit_npm(folder: str, run: Run, audit: Audit) -> None:
    """Ask npm about what a folder's package-lock.json holds."""
    done = run(["npm", "audit", "--json", "--package-lock-only", "--fetch-retries=0"], ROOT / folder)
    report, failure = _report(done)
    flaws = report.get("vulnerabilities")
    for name, flaw in (flaws or {}).items():
        ids = [str(via.get("url", via.get("title"))) for via in flaw["via"] if isinstance(via, dict)]
        because = ", ".join(ids) or f"through {', '.join(map(str, flaw['via']))}"
        audit.vulnerabilities.append(f"{name} ({folder}/package-lock.json): {flaw['severity']}, {because}")
    if flaws is None or (done.returncode and not flaws):
        audit.unanswered.append(
            f"{folder}/package-lock.json: {report.get('message') or failure or 'no report'}"
        )


def _report(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], str]:
    """A tool's report, or if it wrote none, the last line of its complaint."""
    try:
        report = json.loads(done.stdout)
    except ValueError:
        report = None
    if isinstance(report, dict):
        return report, ""
    return {}, (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).parent / command[0]
    return subprocess.run(  # noqa: S603 - our own command line, no shell
        [str(tool), *command[1:]], cwd=folder, capture_output=True, text=True, check=False
    )


def main(arguments: Sequence[str], run: Run = _run) -> int:
    """Audit; returns 1 for a vulnerability, and for anything that was not audited unless that is allowed."""
    parser = argparse.ArgumentParser(prog="python -m supply_chain.audit", description=__doc__)
    parser.add_argument("--offline-ok", action="store_true", help="pass where no advisory service answers")
    options = parser.parse_args(arguments)
    packages, audit = locked(ROOT), Audit()
    audit_python(packages, run, audit)
    for folder in NPM_FOLDERS:
        audit_npm(folder, run, audit)
    for sentence in audit.vulnerabilities:
        print(f"VULNERABLE: {sentence}", file=sys.stderr)
    for sentence in audit.unanswered:
        print(f"NOT AUDITED: {sentence}", file=sys.stderr)
    if audit.unanswered and options.offline_ok:
        print(
            "NOT AUDITED: passed over here; run `make audit` where the advisory services can be reached.",
            file=sys.stderr,
        )
    if not audit.vulnerabilities and not audit.unanswered:
        print(f"{len(packages)} Python packages, {len(NPM_FOLDERS)} npm locks: no known vulnerability")
    return 1 if audit.vulnerabilities or (audit.unanswered and not options.offline_ok) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
