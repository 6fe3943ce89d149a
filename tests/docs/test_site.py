"""`make docs` lets no link pass that leads nowhere, and no page that is in no menu."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = (
    "docs",
    "mkdocs.yml",
    "README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The pages, and empty files in the places of the code that they link to."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if name.startswith(PAGES):
            shutil.copyfile(ROOT / name, target)
        else:
            target.touch()
    return tmp_path


def build(folder: Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_the_site_is_built_with_the_readme_as_its_home(copy: Path) -> None:
    code, output = build(copy)
    assert code == 0, output
    home = (copy / ".cache" / "site" / "index.html").read_text()
    assert 'href="deploy.html"' in home
    assert 'src="images/explorer.png"' in home
    assert 'href="adr/' in home


@pytest.mark.parametrize(
    ("page", "text", "message"),
    [
        (
            "docs/deploy.md",
            "[a](../nowhere/at/all.py)",
            "links to ../nowhere/at/all.py, which does not exist",
        ),
        ("docs/deploy.md", "[a](cost.md#no-such-heading)", "no-such-heading"),
        ("docs/deploy.md", "[a](#no-such-heading)", "no-such-heading"),
        ("README.md", "[a](docs/nothing.md)", "links to docs/nothing.md, which does not exist"),
        ("docs/forgotten.md", "# Forgotten", "forgotten.md"),
    ],
)
def test_what_leads_nowhere_fails(copy: Path, page: str, text: str, message: str) -> None:
    with (copy / page).open("a") as file:
        file.write(f"\n{text}\n")
    code, output = build(copy)
    assert code != 0
    assert message in output
