"""Where the benchmark finds and keeps things."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "bench"
RESULTS = ROOT / "bench" / "results"
FIGURES = ROOT / "docs" / "figures"
PHOTOGRAPHS = ROOT / "image_similarity" / "inference" / "export" / "pictures"
EMBEDDED = ROOT / "image_similarity" / "models" / "embedded"
CALIBRATIONS = ROOT / "image_similarity" / "calibrations.json"
PYTHON = ROOT / ".venv" / "bin" / "python"
EXPORT_PYTHON = ROOT / ".venv-export" / "bin" / "python"
IMAGEDEDUP = ROOT / "bench" / "baseline" / "imagededup.txt"
IMAGEDEDUP_PYTHON = ROOT / ".venv-imagededup" / "bin" / "python"
INFINITY = ROOT / ".venv-infinity" / "bin"

EXACT = CACHE / "vit-b-32-fp16"
INT8 = CACHE / "vit-b-32-int8"
CHECKPOINT = CACHE / "vit-b-32.pt"
INFINITY_MODEL = CACHE / "infinity-clip"
