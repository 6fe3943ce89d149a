"""The instrument for peak memory, on processes of known size: their own peak, whatever started them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
HANDLER = """
def handler(event, context):
    bytes([1]) * (event["megabytes"] * 2**20)  # written to, and freed before the peak is read
    return {"statusCode": 200, "body": ""}
"""
# The benchmark as parent: its own peak is a gigabyte, as after it made pictures and matrices.
PARENT = """
import sys
from pathlib import Path
from bench.measure.contenders import Contender, Worker, whole_cores

handler, events = map(Path, sys.argv[1:])
gigabyte = bytes([1]) * 2**30
del gigabyte
worker = Worker(Contender("known", handler, Path(sys.executable)), whole_cores(1), events)
try:
    worker.call(0)
    print(worker.close())
finally:
    worker.kill()
"""
CHILD = """
import sys
from bench.measure.machine import peak_bytes

used = bytes([1]) * (int(sys.argv[1]) * 2**20)
del used
print(peak_bytes() / 2**20)
"""
STARTER = """
import subprocess, sys
gigabyte = bytes([1]) * 2**30
del gigabyte
print(subprocess.check_output([sys.executable, "-c", *sys.argv[1:]], text=True))
"""
INTERPRETER_MB = 40
"""More than a bare interpreter needs, less than the difference that the test must see."""


@pytest.mark.parametrize("megabytes", [50, 200])
def test_a_process_of_known_size(tmp_path: Path, megabytes: int) -> None:
    (tmp_path / "handler.py").write_text(HANDLER)
    (tmp_path / "0.json").write_text(json.dumps({"megabytes": megabytes}))
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path / "handler.py"), str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert parent.returncode == 0, parent.stderr
    assert megabytes <= float(parent.stdout) < megabytes + INTERPRETER_MB


@pytest.mark.parametrize("megabytes", [50, 200])
def test_a_process_that_asks_for_its_own_peak(megabytes: int) -> None:
    told = subprocess.check_output(
        [sys.executable, "-c", STARTER, CHILD, str(megabytes)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        text=True,
        timeout=120,
    )
    assert megabytes <= float(told) < megabytes + INTERPRETER_MB
