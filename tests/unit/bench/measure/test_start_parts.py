"""The steps of a cold start: every one is there, and they come out of one real start."""

import sys

import pytest

from bench.measure import start_parts
from bench.measure.contenders import Contender, write_events
from bench.measure.inputs import cases
from bench.measure.paths import EMBEDDED, PYTHON, ROOT


def test_the_table_has_the_contenders_side_by_side() -> None:
    steps: start_parts.Steps = {"interpreter": (30.4, 20.6), "whole start": (900.0, 800.0)}
    lines = start_parts.markdown(["a", "b"], [[steps, steps], [steps, steps]], ["cold", "warm"]).splitlines()
    assert lines[0] == "| step | cold, a | cold, b | warm, a | warm, b |"
    assert lines[2] == "| interpreter |" + " 30 (21) |" * 4
    assert lines[3] == "| whole start |" + " 900 (800) |" * 4


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the handler's own parts are Linux's")
def test_a_start_is_taken_apart() -> None:
    write_events(cases()[:1])
    ours = Contender("ours", ROOT / "lambda" / "handler.py", PYTHON, {"MODEL_DIR": str(EMBEDDED)})
    steps = start_parts.once(ours, 3008, ())
    *parts, whole = steps.values()
    assert next(iter(steps)) == "interpreter"
    assert list(steps)[-2:] == ["the first answer", "whole start"]
    assert whole[0] == pytest.approx(sum(wall for wall, _ in parts))
    assert all(wall > 0 for wall, _ in parts)
