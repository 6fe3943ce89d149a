"""Sizes, starts and memory of the images: `python -m tests.container.measure [--checkpoint FILE --model M]`.

With a checkpoint, the images are built a second time with that model: exported in the build by torch, from a
context of its own that pins the file. That build wants the exporter's wheels for this machine's Python.
"""

import argparse
import hashlib
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from local.backends.emulator import emulator
from tests.container.adapters import Container, lambda_container, sagemaker_container
from tests.container.bases import CACHE, ROOT, build_arguments, export_base
from tests.container.conftest import Images
from tests.container.engine import Engine, engine
from tests.contract.cases import ASTRONAUT, CAT, JSON

SINGLE = json.dumps({"img": CAT}).encode()
PAIR = json.dumps({"img_1": CAT, "img_2": ASTRONAUT}).encode()
FOLDERS = {"lambda": "/var/task", "sagemaker": "/opt/app"}
LABEL = "measured"
PREPROCESSING = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


def main() -> None:
    """Builds, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="ViT-B-32")
    parser.add_argument("--checkpoint", type=Path)
    options = parser.parse_args()
    with engine(Path("/var/tmp/images-measure")) as running:
        arguments = build_arguments(running)
        report(running, arguments, "embedded", ROOT, {})
        if options.checkpoint:
            base = export_base(running)
            with tempfile.TemporaryDirectory(dir=CACHE) as folder:
                context = pinned_context(Path(folder), options.model, options.checkpoint)
                chosen = {"MODEL": options.model, "PRETRAINED": LABEL, "EXPORT_BASE": base}
                report(running, arguments, options.model, context, chosen)


def pinned_context(folder: Path, model: str, checkpoint: Path) -> Path:
    """A copy of the build context that holds the checkpoint, its pin and its preprocessing."""
    for name in ("image_similarity", "lambda", "sagemaker", "supply_chain"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".dockerignore", folder)
    (folder / "checkpoints").mkdir()
    shutil.copy(checkpoint, folder / "checkpoints" / checkpoint.name)
    (folder / "checkpoints" / f"{checkpoint.stem}.json").write_text(json.dumps(PREPROCESSING))
    pins = json.loads((folder / "supply_chain/pins.json").read_text())
    with checkpoint.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    entry = {"repository": None, "file": checkpoint.name, "revision": None, "sha256": sha256}
    pins["weights"][f"{model}/{LABEL}"] = entry
    (folder / "supply_chain/pins.json").write_text(json.dumps(pins))
    return folder


def report(
    running: Engine, arguments: dict[str, list[str]], model: str, context: Path, chosen: dict[str, str]
) -> None:
    """One model's figures."""
    tag = model.lower()
    images = Images(running, arguments, emulator(ROOT / ".cache", print), {})
    extra = [part for name, value in chosen.items() for part in ("--build-arg", f"{name}={value}")]
    for backend, options in arguments.items():
        images.names[backend] = f"localhost/{backend}:{tag}"
        start = time.monotonic()
        running.build(
            context, images.names[backend], "-f", f"{context}/{backend}/Dockerfile", *options, *extra
        )
        print(f"\n== {model}, {backend}: built in {time.monotonic() - start:.0f} s")
        sizes(running, images.names[backend], FOLDERS[backend])
    for memory in (1769, 3008):
        with lambda_container(images, memory=memory) as container:
            timed(container, f"{model}, lambda, {memory} MB", "INIT REPORT")
    with sagemaker_container(images, memory=4096, cpus=2) as container:
        timed(container, f"{model}, sagemaker, 2 CPUs, 4096 MB", "")


def sizes(running: Engine, name: str, folder: str) -> None:
    """The image's size, plain and as a registry holds it, its layers, and what is in our folders."""
    whole = int(running.docker("image", "inspect", "--format", "{{.Size}}", name)) / 1e6
    print(f"image {whole:.0f} MB, compressed {compressed(running, name):.0f} MB")
    print(running.docker("history", "--format", "  {{.Size}}\t{{.CreatedBy}}", name))
    script = f"du -sm {folder} /opt/model; du -sm {folder}/* | sort -rn | head -8"
    print(running.docker("run", "--rm", "--user=0", "--network=none", "--entrypoint=sh", name, "-c", script))


def compressed(running: Engine, name: str) -> float:
    """Megabytes of all layers with gzip, as a registry stores and Lambda counts them apart from the base."""
    with tempfile.NamedTemporaryFile(dir=CACHE, suffix=".tar") as file:
        running.docker("save", "--output", file.name, name)
        packed = subprocess.run(["gzip", "-6", "--stdout", file.name], stdout=subprocess.PIPE, check=True)
    return len(packed.stdout) / 1e6


def timed(container: Container, title: str, init: str) -> None:
    """First answer, warm answers, and the process's peak memory."""
    first = seconds(lambda: container.call(SINGLE, JSON).status)
    warm = statistics.median(seconds(lambda: container.call(SINGLE, JSON).status) for _ in range(20))
    pair = statistics.median(seconds(lambda: container.call(PAIR, JSON).status) for _ in range(10))
    found = re.search(r"INIT REPORT\(durationMs: ([\d.]+)\)", container.logs()) if init else None
    start = f"init {float(found[1]) / 1000:.2f} s, " if found else ""
    print(
        f"{title}: {start}first answer {first:.2f} s, warm {warm * 1000:.0f} ms, pair {pair * 1000:.0f} ms, "
        f"peak {container.peak_megabytes():.0f} MB"
    )


def seconds(work: Callable[[], int]) -> float:
    start = time.monotonic()
    status = work()
    if status != 200:
        sys.exit(f"the container answered {status}")
    return time.monotonic() - start


if __name__ == "__main__":
    main()
