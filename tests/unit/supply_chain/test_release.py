"""A tag becomes a release only where it agrees with the version and the changelog."""

from pathlib import Path

import pytest

from image_similarity import __version__
from supply_chain import release as module
from supply_chain.release import ReleaseError, main, notes, release, version

CHANGELOG = """# Changelog

## [Unreleased]

## [1.2.0] - 2026-11-30

### Added
- A thing.

## [1.1.0] - 2026-10-01

### Fixed
- Another.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "image_similarity").mkdir()
    (tmp_path / "image_similarity" / "version.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def test_the_version_is_the_packages() -> None:
    assert version() == __version__


def test_the_notes_are_the_versions_section(root: Path) -> None:
    assert release("v1.2.0", root) == "### Added\n- A thing.\n"
    assert notes(CHANGELOG, "1.1.0") == "### Fixed\n- Another.\n"


@pytest.mark.parametrize("tag", ["", "1.2.0", "v1.2", "v1.2.1", "v1x2.0"])
def test_another_tag_is_refused(root: Path, tag: str) -> None:
    with pytest.raises(ReleaseError, match=r"says 1\.2\.0: tag v1\.2\.0"):
        release(tag, root)


@pytest.mark.parametrize(
    ("changelog", "message"),
    [
        (CHANGELOG.replace("[1.2.0]", "[1.2x0]"), r"no .## \[1\.2\.0\] - YYYY-MM-DD'"),
        (CHANGELOG.replace(" - 2026-11-30", ""), "has no"),
        (CHANGELOG.replace("### Added\n- A thing.\n", ""), "is empty: say what changed"),
    ],
)
def test_a_changelog_that_says_nothing_is_refused(root: Path, changelog: str, message: str) -> None:
    (root / "CHANGELOG.md").write_text(changelog)
    with pytest.raises(ReleaseError, match=message):
        release("v1.2.0", root)


def test_a_version_that_is_computed_is_refused(root: Path) -> None:
    (root / "image_similarity" / "version.py").write_text("__version__ = str(1)\n")
    with pytest.raises(ReleaseError, match="assigns no text to __version__"):
        version(root)


def test_the_command_writes_the_notes_or_says_why_not(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "release", lambda tag: release(tag, root))
    assert main(["v1.2.0", str(root / "out")]) == 0
    assert (root / "out" / "notes.md").read_text() == "### Added\n- A thing.\n"
    assert main(["v9", str(root / "none")]) == 1
    assert "tag v1.2.0" in capsys.readouterr().err
    assert not (root / "none").exists()
