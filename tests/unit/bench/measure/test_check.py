"""What the guard times: each side its own tree's code, in turns; what a revision lacks is no failure."""

import subprocess
from pathlib import Path

import pytest

from bench.measure.check import CALLS, Row, checked_out, measure, rows
from bench.measure.paths import ROOT

HANDLER = """
import where
def handler(event, context):
    with open({log!r}, "a") as file:
        print(where.NAME, file=file)
    return {{"statusCode": {status}, "body": "no"}}
"""


def tree(folder: Path, log: Path, status: int = 200) -> Path:
    """A checkout of two files; the handler imports from its own tree."""
    (folder / "lambda").mkdir(parents=True)
    (folder / "where.py").write_text(f"NAME = {folder.name!r}")
    (folder / "lambda" / "handler.py").write_text(HANDLER.format(log=str(log), status=status))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("cold", [False, True])
def test_each_side_runs_its_own_code_in_turns(tmp_path: Path, cold: bool) -> None:
    log = tmp_path / "log"
    before, after = (tree(tmp_path / name, log) for name in ("before", "after"))
    result = measure(Row("row", {}, cold=cold), before, after, rounds=2)
    assert len(result.before) == len(result.after) == 2
    assert min(*result.before, *result.after) > 0
    calls = 1 if cold else CALLS
    turns = ["before"] * calls + ["after"] * 2 * calls + ["before"] * calls
    assert log.read_text().split() == ["after", "before", *turns]


@pytest.mark.slow
def test_what_the_revision_lacks_is_missing_and_what_we_lack_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    can, cannot = tree(tmp_path / "can", log), tree(tmp_path / "cannot", log, status=400)
    assert measure(Row("row", {}), cannot, can, 2).before == []
    with pytest.raises(RuntimeError, match="the worker ended"):
        measure(Row("row", {}), can, cannot, 2)


@pytest.mark.slow
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout with git's folder")
def test_a_revision_is_checked_out_and_goes() -> None:
    def worktrees() -> str:
        return subprocess.check_output(["git", "worktree", "list"], cwd=ROOT, text=True)

    head = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=ROOT, text=True).strip()
    with checked_out(head) as folder:
        assert (folder / "lambda" / "handler.py").is_file()
        assert str(folder) in worktrees()
    assert not folder.exists()
    assert str(folder) not in worktrees()


@pytest.mark.slow
def test_the_rows_that_matter_are_there() -> None:
    names = "\n".join(row.name for row in rows())
    for part in ("JPEG 2048 x 1536, 954 KB", "PNG", "pair", "16 images", "cold", "search"):
        assert part in names
