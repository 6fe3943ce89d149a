"""Artifacts and environments that the benchmark compares; each is made once."""

import os
import subprocess
import sys
from pathlib import Path

from bench.measure.paths import CACHE, CHECKPOINT, EXACT, EXPORT_PYTHON, INFINITY, INFINITY_MODEL, INT8, ROOT

_SAVE = """
import sys, torch
from image_similarity.inference.export.torchvision_shim import import_torchvision
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
    export(EXACT)
    export(INT8, "--int8")
    return _prepare_infinity()


def export(directory: Path, *flags: str, root: Path = ROOT) -> None:
    """ViT-B/32 with random weights into `directory`, by the exporter in `root`, unless it is there."""
    if (directory / "manifest.json").exists():
        return
    model = ["--model", "ViT-B-32", "--pretrained", "random", "--output", str(directory)]
    _run([str(EXPORT_PYTHON), "-m", "image_similarity.inference.export", *model, *flags], root)


def _prepare_infinity() -> bool:
    if not (INFINITY / "infinity_emb").exists():
        print("infinity-emb is not compared: `make bench-infinity` installs it (6 GB)", file=sys.stderr)
        return False
    if not (INFINITY_MODEL / "config.json").exists():
        script = Path("bench", "baseline", "infinity_model.py")
        _run([str(INFINITY / "python"), str(script), str(INFINITY_MODEL)])
    return True


def _run(command: list[str], root: Path = ROOT) -> None:
    print("prepare:", " ".join(command[1:4]), file=sys.stderr)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run(command, cwd=root, env=environment, check=True, timeout=900)
