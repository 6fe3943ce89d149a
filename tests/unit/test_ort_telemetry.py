"""ONNX Runtime must not phone home, and must not write into the home directory."""

import os
import subprocess
import sys
from pathlib import Path

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


def test_importing_our_modules_turns_onnx_runtimes_telemetry_off(tmp_path: Path) -> None:
    run("import image_similarity.inference.encoder", tmp_path)
    assert list(tmp_path.rglob("*")) == []


def test_without_us_it_would_write_its_files(tmp_path: Path) -> None:
    run("import onnxruntime", tmp_path)
    assert [path for path in tmp_path.rglob("*") if "onnxruntime" in path.name], (
        "this version sends nothing by itself: image_similarity/inference/__init__.py needs its line no more"
    )
