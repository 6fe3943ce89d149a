"""A run says what else the machine did: a busy one is seen, said, and kept out of what is quoted."""

import importlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from itertools import chain
from pathlib import Path

import pytest

from bench.measure import machine, typed_json
from bench.measure.machine import Ticks, Watch, frequencies, objections
from bench.measure.paths import RESULTS
from bench.measure.results import Run, State
from bench.report.page import markdown

QUIET = State(others=0.01, steal=0.0, lowest_mhz=2100.0, highest_mhz=2900.0)


@pytest.fixture(scope="module")
def run() -> Run:
    return typed_json.read(Run, json.loads((RESULTS / "full.json").read_text()))


def test_the_times_of_all_cores() -> None:
    first = Ticks.parse("cpu  100 10 50 1000 40 5 5 20 30 3\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    assert first == Ticks(total=1230, busy=170, steal=20)
    assert Ticks(1330, 190, 25).since(first) == Ticks(100, 20, 5)
    with pytest.raises(ValueError, match="'cpu0 1 1"):
        Ticks.parse("cpu0 1 1 1 1 1 1 1 1\n")


@pytest.mark.slow
def test_other_programs_are_seen() -> None:
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        try:
            watch = Watch()
            watch.pause()
            state = watch.state()
        finally:
            process.kill()
    assert state.slowest_pace == 1  # of a single pause
    assert state.others is not None
    assert state.others > 0.2 / (os.cpu_count() or 1)  # of a core, which others share


@pytest.mark.parametrize(
    ("pauses", "slowest"),
    [
        ([[100, 100, 59, 100, 100]] * 4, 1),  # single spins differ on an idle machine, too
        ([[100] * 5, [100] * 5, [60, 60, 60, 100, 100], [100] * 5], 0.6),
    ],
)
def test_a_pause_is_as_slow_as_most_of_its_spins(
    pauses: list[list[float]], slowest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    spins = iter(chain.from_iterable(pauses))
    monkeypatch.setattr(machine, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(Watch, "_spin", lambda _: next(spins))
    watch = Watch()
    for _ in pauses:
        watch.pause()
    assert watch.state().slowest_pace == pytest.approx(slowest)


def test_frequencies_where_the_machine_says_them(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nBogoMIPS\t: 50.00\n")
    assert frequencies(tmp_path) == []
    (tmp_path / "proc/cpuinfo").write_text("cpu MHz\t\t: 2100.000\n\ncpu MHz\t\t: 2900.500\n")
    assert frequencies(tmp_path) == [2900.5]
    governed = tmp_path / "sys/devices/system/cpu/cpu0/cpufreq"
    governed.mkdir(parents=True)
    (governed / "scaling_cur_freq").write_text("3400000\n")
    assert frequencies(tmp_path) == [3400.0]


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (replace(QUIET, others=0.3), ["others kept 30.0% of the cores busy, 5% is the limit"]),
        (replace(QUIET, steal=0.02), ["the host withheld 2.0% of the cores' time, 1% is the limit"]),
        (
            replace(QUIET, slowest_pace=0.7),
            ["the same work went at 70% of its usual pace at times, 80% is the limit"],
        ),
        (replace(QUIET, slowest_pace=0.9), []),
        (replace(QUIET, others=None), ["the machine does not say what else it does (/proc/stat)"]),
        (QUIET, []),
        (replace(QUIET, lowest_mhz=None, highest_mhz=None), []),
    ],
)
def test_what_is_not_to_be_quoted_says_so(run: Run, state: State, words: list[str]) -> None:
    assert objections(state) == words
    text = markdown(replace(run, state=state))
    assert ("**Not to be quoted**" in text) == bool(words)
    assert all(word in text for word in words)


def test_the_state_stands_beside_the_figures(run: Run) -> None:
    assert "The machine: " not in markdown(replace(run, state=None))
    text = markdown(replace(run, state=QUIET))
    assert "other programs kept at most 1.0% of the cores busy between measurements" in text
    assert "the host withheld 0.0% of their time, a core that computes ran at 2100 to 2900 MHz." in text


@pytest.mark.slow
def test_a_full_run_on_a_busy_machine_stays_out_of_the_documents(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = importlib.import_module("bench.__main__")  # imports matplotlib
    for name in ("RESULTS", "FIGURES", "CACHE"):
        monkeypatch.setattr(bench, name, tmp_path / name.lower())
    monkeypatch.setattr("bench.report.cost_page.write", lambda: pytest.fail("wrote docs/cost.md"))
    bench.write(replace(run, state=replace(QUIET, steal=0.5)))
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"full-busy.json", "full-busy.md"}
    assert not (tmp_path / "figures").exists()
    assert "not to be quoted: the host withheld 50.0%" in capsys.readouterr().err
