"""The fuzzing run's own figures: what it tells is what the processes did, also when it is interrupted."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz import run
from tests.fuzz.figures import Figures, table

LOG = """INFO: -max_total_time=9
#2\tINITED cov: 11 ft: 11 corp: 1/1b exec/s: 0 rss: 80Mb
#4096\tpulse  cov: 12 ft: 13 corp: 2/9b lim: 4 exec/s: 2048 rss: 91Mb
"""
ENDED = LOG + "stat::number_of_executed_units: 5000\nstat::peak_rss_mb:              93\n"
FOUND = ENDED + "artifact_prefix='f/url-'; Test unit written to f/url-crash-0a1b\n"
STUB = """
import signal, sys, time
def stop(*_):
    print("stat::number_of_executed_units: 7", flush=True)
    sys.exit(72)
signal.signal(signal.SIGINT, stop)
print("#5\\tINITED cov: 3 ft: 3 rss: 20Mb", flush=True)
time.sleep(60)
"""


def test_figures_of_a_run_that_ended_and_of_one_that_was_cut_off() -> None:
    ended, cut = Figures("url", 9.0, 0, ENDED), Figures("url", 4.0, -9, LOG, interrupted=True)
    assert (ended.executions, ended.branches, ended.megabytes, ended.findings) == (5000, 12, 93, [])
    assert (cut.executions, cut.branches, cut.megabytes) == (4096, 12, 91)
    assert ended.is_clean
    assert cut.is_clean


@pytest.mark.parametrize(
    ("status", "log"), [(1, FOUND), (0, FOUND), (1, ENDED), (0, ""), (1, "Traceback"), (-9, LOG)]
)
def test_what_is_not_clean(status: int, log: str) -> None:
    """Findings, and processes that broke or did not run at all."""
    assert not Figures("url", 9.0, status, log).is_clean


def test_the_table_has_all_targets_and_their_totals() -> None:
    lines = table([Figures("url", 9.0, 1, FOUND), Figures("png", 4.0, 0, ENDED)]).splitlines()
    assert len({line.count("|") for line in lines}) == 1
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[2] == ["url", "9", "5000", "12", "93", "1"]
    assert cells[-1] == ["all", "13", "10000", "", "93", "1"]


@pytest.mark.parametrize("jobs", [1, 2, 4])
def test_the_time_is_shared(jobs: int) -> None:
    found = run.shares(list(run.WEIGHTS), 3600, jobs)
    assert 0.97 * 3600 * jobs < sum(found.values()) <= 3600 * jobs
    assert max(found.values()) == found["image"] <= 3600
    assert run.shares(["url"], 60, jobs) == {"url": 60}


MAIN = """
import signal, sys
from pathlib import Path
from tests.fuzz import run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
run.GROWN = Path(sys.argv.pop(1))
stub = sys.argv.pop(1)
run._command = lambda target, seconds: [sys.executable, "-c", stub]
sys.exit(run.main())
"""


def test_an_interrupted_run_tells_what_it_did(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAIN, str(tmp_path), STUB, "--jobs", "2"]
    process = subprocess.Popen(command, cwd=run.CORPUS.parents[2], stdout=subprocess.PIPE, text=True)
    logs, end = [tmp_path / "image.log", tmp_path / "png.log"], time.monotonic() + 60
    while not all(log.exists() and "INITED" in log.read_text() for log in logs) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == run.INTERRUPTED
    rows = re.findall(r"^\| (\w+) +\| +\d+ \| +(\d+) \|", output, re.MULTILINE)
    assert rows == [("image", "7"), ("png", "7"), ("all", "14")]
