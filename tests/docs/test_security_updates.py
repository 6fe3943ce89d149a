"""docs/security-updates.md: what it tells people to run is there, and the release has its gate."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security-updates.md").read_text("utf-8")
RELEASE = (ROOT / "docs" / "releasing.md").read_text("utf-8")


def test_each_target_that_is_named_exists() -> None:
    for text in (PAGE, RELEASE):
        commands = re.findall(r"`[^`]*?make [^`]*`", text)
        named = {name for command in commands for name in re.findall(r"make ([a-z-]+)", command)}
        assert "audit" in named
        for name in named:
            planned = subprocess.run(["make", "-n", name], cwd=ROOT, capture_output=True, text=True)
            assert planned.returncode == 0, planned.stderr


def test_no_release_goes_out_without_the_audit() -> None:
    steps = [line for line in RELEASE.splitlines() if line[:1].isdigit()]
    assert steps[0].startswith("1. `make audit`")


def test_every_link_leads_somewhere() -> None:
    for link in re.findall(r"\]\((?!http|#)([^)#]+)", PAGE):
        assert (ROOT / "docs" / link).exists(), link
