"""What the benchmark starts: the earlier revision runs its own code, and a wrong revision stops the run."""

from pathlib import Path

import pytest

from bench.measure import previous
from bench.measure.contenders import Contender, whole_cores


def test_a_revision_that_does_not_exist() -> None:
    with pytest.raises(SystemExit, match="git knows no such commit"):
        previous.commit("no-such-revision")


def test_a_contender_may_have_its_own_code() -> None:
    ours = Contender("exact", Path("handler.py"), Path("python"), {})
    theirs = Contender("previous", Path("handler.py"), Path("python"), {"PYTHONPATH": "/elsewhere"})
    assert ours.environment(whole_cores(2))["PYTHONPATH"] == str(Path(__file__).parents[4])
    assert theirs.environment(whole_cores(2))["PYTHONPATH"] == "/elsewhere"
    assert theirs.environment(whole_cores(2))["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "3538"
