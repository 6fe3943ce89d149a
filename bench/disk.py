"""What each contender ships: the installed size of its packages, and its model."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.paths import CHECKPOINT, EMBEDDED, EXACT, EXPORT_PYTHON, INT8, PYTHON

# Runs in the contender's environment: the named distributions, everything that they require, and the bytes.
_SIZES = """
import json, sys
from importlib.metadata import PackageNotFoundError, distribution
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
waiting, seen = list(sys.argv[1:]), {}
while waiting:
    name = canonicalize_name(waiting.pop())
    if name in seen:
        continue
    try:
        found = distribution(name)
    except PackageNotFoundError:
        continue
    paths = (found.locate_file(file) for file in found.files or [])
    seen[name] = sum(path.stat().st_size for path in paths if path.is_file() and path.suffix != ".pyc")
    for text in found.requires or []:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            waiting.append(needed.name)
print(json.dumps(seen))
"""
OURS = ["onnxruntime", "numpy", "pillow", "pybase64", "boto3", "awslambdaric"]
BASELINE = ["torch", "torchvision", "open_clip_torch", "pillow"]


@dataclass(frozen=True)
class Disk:
    """Megabytes (10^6 bytes)."""

    contender: str
    libraries: float
    model: float


def measure() -> list[Disk]:
    """What each one's Lambda function imports, with everything that requires."""
    ours, theirs = _packages(PYTHON, OURS), _packages(EXPORT_PYTHON, BASELINE)
    return [
        Disk("hand-written", theirs, CHECKPOINT.stat().st_size / 1e6),
        *(Disk(name, ours, _size(path)) for name, path in _models()),
    ]


def _models() -> list[tuple[str, Path]]:
    return [("exact", EXACT), ("int8", INT8), ("embedded", EMBEDDED)]


def _packages(python: Path, names: list[str]) -> float:
    output = subprocess.run(
        [str(python), "-c", _SIZES, *names], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    sizes: dict[str, int] = json.loads(output)
    return sum(sizes.values()) / 1e6


def _size(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.iterdir()) / 1e6
