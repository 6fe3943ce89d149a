"""The encoder artifact that a local run serves: the bundled one, or one exported on demand."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


class ModelUnavailable(RuntimeError):
    """The model can't be had; the message says what to do."""


@dataclass(frozen=True)
class Model:
    """An artifact's folder and the context flags that name it to synth."""

    directory: Path
    context: dict[str, str]


def model(root: Path, cache: Path, name: str, say: Callable[[str], None]) -> Model:
    """Return the artifact for `embedded` or `NAME:TAG` (open_clip's names), exporting it when missing.

    Raises ModelUnavailable.
    """
    if name == "embedded":
        return Model(root / "models" / "embedded", {"model": "embedded"})
    match = re.fullmatch(r"([\w./-]+):([\w.-]+)", name)
    if match is None:
        raise ModelUnavailable(
            f"MODEL={name}: write embedded, or an open_clip model and tag such as ViT-B-32:laion2b_s34b_b79k."
        )
    architecture, tag = match.groups()
    directory = cache / "models" / f"{architecture.replace('/', '-')}--{tag}"
    if not (directory / "manifest.json").exists():
        say(f"Exporting {architecture} with the weights {tag}: downloads them and takes minutes, once")
        command = [sys.executable, "-m", "inference.export", "--model", architecture, "--pretrained", tag]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        done = subprocess.run(  # noqa: S603 - our own module, no shell
            [*command, "--output", str(directory)], cwd=root, env=environment, check=False
        )
        if done.returncode:
            raise ModelUnavailable(f"{name} could not be exported: see the message above.")
    return Model(directory, {"model": architecture, "pretrained": tag})
