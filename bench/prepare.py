"""Artifacts and environments that the benchmark compares; each is made once."""

import subprocess
import sys
from pathlib import Path

from bench.paths import CACHE, CHECKPOINT, EXACT, EXPORT_PYTHON, INFINITY, INFINITY_MODEL, INT8, ROOT

_SAVE = """
import sys, torch
from inference.export.torchvision_shim import import_torchvision
import_torchvision()
import open_clip
torch.manual_seed(0)
torch.save(open_clip.create_model("ViT-B-32").state_dict(), sys.argv[1])
"""


def prepare() -> bool:
    """Makes what is missing; whether infinity-emb can be compared too."""
    CACHE.mkdir(parents=True, exist_ok=True)
    if not CHECKPOINT.exists():
        _run([str(EXPORT_PYTHON), "-c", _SAVE, str(CHECKPOINT)])
    for directory, flags in ((EXACT, []), (INT8, ["--int8"])):
        if not (directory / "manifest.json").exists():
            model = ["--model", "ViT-B-32", "--pretrained", "random", "--output", str(directory)]
            _run([str(EXPORT_PYTHON), "-m", "inference.export", *model, *flags])
    return _prepare_infinity()


def _prepare_infinity() -> bool:
    if not (INFINITY / "infinity_emb").exists():
        print("infinity-emb is not compared: `make bench-infinity` installs it (6 GB)", file=sys.stderr)
        return False
    if not (INFINITY_MODEL / "config.json").exists():
        _run(
            [
                str(INFINITY / "python"),
                str(Path("bench", "baseline", "infinity_model.py")),
                str(INFINITY_MODEL),
            ]
        )
    return True


def _run(command: list[str]) -> None:
    print("prepare:", " ".join(command[1:4]), file=sys.stderr)
    subprocess.run(command, cwd=ROOT, check=True, timeout=900)
