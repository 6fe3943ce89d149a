"""The metric that the endpoint scales by counts work, whatever the requests hold."""

import json

import pytest

from sagemaker.load import Load, line, processor_ticks, report, system_stat
from sagemaker.workers import Gate


def stat(user: int, idle: int, waiting: int = 0, guest: int = 0) -> str:
    return f"cpu  {user} 0 0 {idle} {waiting} 0 0 0 {guest} 0\ncpu0 {user} 0 0 {idle} 0 0 0 0 0 0\n"


def test_ticks_of_idle_processors_and_of_guests_are_not_counted_as_busy() -> None:
    assert processor_ticks(stat(30, 60, waiting=10, guest=20)) == (30, 100)


def test_the_system_tells_its_ticks() -> None:
    busy, ticks = processor_ticks(system_stat())
    assert 0 < busy < ticks


def test_the_load_is_that_of_the_processors_since_the_last_look() -> None:
    texts = iter([stat(1000, 0), stat(1030, 70), stat(1130, 70), stat(1130, 70)])
    load = Load(lambda: 0.0, 2, lambda: next(texts))
    assert [load.percent(), load.percent(), load.percent()] == [30.0, 100.0, 0.0]


def test_a_full_gate_is_full_load_where_the_processors_are_idle() -> None:
    now = 0.0
    gate = Gate(1, clock=lambda: now)
    load = Load(gate.seconds, gate.width, lambda: stat(0, 0))
    with gate.turn(1):
        now = 3600.0
        assert load.percent() == 100.0
        assert gate.seconds() == 3600.0
    assert gate.seconds() == 3600.0
    assert load.percent() == 0.0


def test_the_line_is_a_metric_of_the_stack() -> None:
    written = json.loads(line(42.5, "my-stack"))
    assert (written["Load"], written["Stack"], written["Backend"]) == (42.5, "my-stack", "sagemaker")
    [directive] = written["_aws"]["CloudWatchMetrics"]
    assert directive["Dimensions"] == [["Stack", "Backend"]]


def test_nothing_is_reported_where_there_is_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sagemaker.load.INTERVAL_SECONDS", 0.0)
    lines: list[str] = []
    report(Load(lambda: 0.0, 1, system_stat), {}, lines.append)
    assert lines == []
