"""ONNX Runtime must not phone home, and must not write into the home directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SILENCED_BY = {"ORT_DISABLE_TELEMETRY", "CI"}  # the library is silent in continuous integration by itself


def run(code: str, home: Path, **environ: str) -> str:
    base = {name: value for name, value in os.environ.items() if name not in SILENCED_BY}
    return subprocess.run(
        [sys.executable, "-c", code],
        env=base | {"HOME": str(home)} | environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout


@pytest.mark.slow
def test_an_encoder_turns_onnx_runtimes_telemetry_off(tmp_path: Path) -> None:
    run(
        "from image_similarity.inference.loading import DEFAULT_MODEL_DIR\n"
        "from image_similarity.inference.encoder import OnnxEncoder\n"
        "OnnxEncoder(DEFAULT_MODEL_DIR, threads=1).warm()",
        tmp_path,
    )
    assert list(tmp_path.rglob("*")) == []


STATE = """
import importlib, logging, os, pkgutil, sys
def state():
    return dict(os.environ), {
        name: logger.level for name, logger in logging.root.manager.loggerDict.items()
        if isinstance(logger, logging.Logger) and logger.level
    }, logging.root.level, logging.root.handlers
import %s  # what others set is theirs
before = state()
import image_similarity
for module in pkgutil.walk_packages(image_similarity.__path__, "image_similarity."):
    if not any(part in module.name for part in (".export", "__main__")):
        importlib.import_module(module.name)
assert state() == before, (before, state())
print(sum(name.startswith("image_similarity.") for name in sys.modules), "onnxruntime" in sys.modules)
"""


@pytest.mark.slow
def test_imports_set_nothing_in_the_process(tmp_path: Path) -> None:
    count, loaded = run(STATE % "boto3, httpx, rich, typer, urllib3, PIL.Image", tmp_path).split()
    assert int(count) > 30
    assert loaded == "False"


def test_the_owner_of_the_process_sets_it(tmp_path: Path) -> None:
    printed = run(
        "import logging, os\n"
        "from image_similarity.inference import runtime\n"
        "runtime.prepare()\n"
        "print(os.environ['ORT_DISABLE_TELEMETRY'], logging.getLogger('urllib3.connection').level)",
        tmp_path,
    )
    assert printed.split() == ["1", "40"]


@pytest.mark.slow
def test_without_us_it_would_write_its_files(tmp_path: Path) -> None:
    run("import onnxruntime", tmp_path)
    assert [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name], (
        "this version sends nothing by itself: image_similarity/runtime.py needs its line no more"
    )
