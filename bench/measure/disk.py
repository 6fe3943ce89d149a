"""What each contender ships: the installed size of its packages, and its model."""

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure.paths import CHECKPOINT, EMBEDDED, EXACT, EXPORT_PYTHON, INT8, PYTHON, ROOT
from bench.measure.results import Disk
from image_similarity.inference.text.words import FOLDER

# Runs in the contender's environment: the files of the named distributions and of all that they require.
_FILES = """
import json, sys
from importlib.metadata import PackageNotFoundError, distribution
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
waiting, seen, files = list(sys.argv[1:]), set(), {}
while waiting:
    name = canonicalize_name(waiting.pop())
    if name in seen:
        continue
    seen.add(name)
    try:
        package = distribution(name)
    except PackageNotFoundError:
        continue
    for file in package.files or []:
        path = package.locate_file(file)
        if path.is_file() and path.suffix != ".pyc" and ".." not in file.parts:
            files[str(file)] = str(path)
    for text in package.requires or []:
        needed = Requirement(text)
        if needed.marker is None or needed.marker.evaluate({"extra": ""}):
            waiting.append(needed.name)
print(json.dumps(files))
"""
OURS = ["onnxruntime", "numpy", "pillow", "cykooz-resizer", "pybase64", "xxhash", "certifi", "boto3"]
OURS += ["awslambdaric"]
BASELINE = ["torch", "torchvision", "open_clip_torch", "pillow"]


def measure() -> list[Disk]:
    """What each one's Lambda function imports, with what that requires; ours pruned as in the images."""
    ours, theirs = _pruned(_files(PYTHON, OURS)), _files(EXPORT_PYTHON, BASELINE)
    libraries = sum(path.stat().st_size for path in theirs.values()) / 1e6
    return [
        Disk("hand-written", libraries, CHECKPOINT.stat().st_size / 1e6),
        *(_shipped(name, ours, path) for name, path in _models()),
    ]


def _shipped(name: str, libraries: float, model: Path) -> Disk:
    text = _size(model / FOLDER)
    return Disk(name, libraries, _size(model) - text, text)


def _models() -> list[tuple[str, Path]]:
    return [("exact", EXACT), ("int8", INT8), ("embedded", EMBEDDED)]


def _files(python: Path, names: list[str]) -> dict[str, Path]:
    """Where a package's file goes in an installation, and where it is here."""
    output = subprocess.run(
        [str(python), "-c", _FILES, *names], capture_output=True, text=True, check=True, timeout=120
    ).stdout
    return {name: Path(path) for name, path in json.loads(output).items()}


def _pruned(files: dict[str, Path]) -> float:
    """Megabytes that are left of the packages when `supply_chain/prune.sh` is done with a copy of them."""
    with TemporaryDirectory() as directory:
        for name, path in files.items():
            copy = Path(directory, name)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        subprocess.run(["sh", str(ROOT / "supply_chain" / "prune.sh"), directory], check=True, timeout=60)
        return _size(Path(directory))


def _size(directory: Path) -> float:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file()) / 1e6
