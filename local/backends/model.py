"""The encoder artifact that a local run serves: the bundled one, or one exported on demand."""

import os
import re
import subprocess
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
    """Return the artifact for `embedded` or `NAME:TAG` (as the flags name them), exporting it when missing.

    Raises ModelUnavailable.
    """
    if name == "embedded":
        return Model(root / "image_similarity" / "models" / "embedded", {"model": "embedded"})
    match = re.fullmatch(r"([\w./-]+):([\w.-]+)", name)
    if match is None:
        raise ModelUnavailable(
            f"MODEL={name}: write embedded, or a model and its weights such as ViT-B-32:laion2b_s34b_b79k or "
            "sscd_disc_mixup:meta."
        )
    architecture, tag = match.groups()
    directory = cache / "models" / f"{architecture.replace('/', '-')}--{tag}"
    if not (directory / "manifest.json").exists():
        say(f"Exporting {architecture} with the weights {tag}: downloads them and takes minutes, once")
        _export(root, architecture, tag, directory)
    return Model(directory, {"model": architecture, "pretrained": tag})


def _export(root: Path, architecture: str, tag: str, directory: Path) -> None:
    """As an image build does, in the environment that has torch."""
    path = os.pathsep.join([str(root / ".venv-export" / "bin"), os.environ.get("PATH", os.defpath)])
    build = {"MODEL": architecture, "PRETRAINED": tag, "PRECISION": "fp16", "PINS": "optional"}
    environment = {**os.environ, **build, "PATH": path, "PYTHONPATH": str(root)}
    export = ["sh", "supply_chain/model.sh", "export", str(directory)]
    for command in (["make", ".venv-export/.ready"], export):
        done = subprocess.run(command, cwd=root, env=environment, check=False)  # noqa: S603 - our own, no shell
        if done.returncode:
            raise ModelUnavailable(f"{architecture}:{tag} could not be exported: see the message above.")
