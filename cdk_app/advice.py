"""What a deployer should know about the images before they are built."""

import os
from collections.abc import Iterator

from cdk_app.builder import OTHER, builder, command
from cdk_app.config import ROOT, ConfigError, DeploymentConfig
from cdk_app.images import BASES
from supply_chain.pins import PYTHON_BASE, Pins


def warnings(config: DeploymentConfig) -> Iterator[tuple[str, str]]:
    """Name and text of each warning."""
    if unpinned := _unpinned(config):
        yield (
            "pins",
            f"{unpinned} Until then the images use whatever these names refer to on the day of the build.",
        )
    by_itself = "sagemaker" in config.backends and builder(config["builder"]) == OTHER
    if by_itself and os.environ.get("BUILDAH_FORMAT") != "docker":
        yield (
            "builder",
            f"'{command(os.environ)}' builds without BuildKit, so it decides the manifest of the SageMaker "
            "image, and SageMaker refuses OCI's. With Podman set BUILDAH_FORMAT=docker, with Docker install "
            "buildx and leave DOCKER_BUILDKIT unset: docs/deploy.md, The builder.",
        )


def require_pins(config: DeploymentConfig) -> None:
    """Raise ConfigError if `pins` is required and something is not pinned."""
    if config["pins"] == "required" and (unpinned := _unpinned(config)):
        raise ConfigError(f"{unpinned} Without -c pins=required they are used by name.")


def _unpinned(config: DeploymentConfig) -> str:
    """What the images are built from that has no digest or hash yet, and how to pin it; empty if nothing."""
    pins = Pins.load(ROOT / "supply_chain" / "pins.json")
    bases = {PYTHON_BASE, *(BASES[backend] for backend in config.backends)}
    names = sorted(base for base in bases if pins.bases[base] is None)
    targets = ["make pin"]
    if config["model"] != "embedded":
        weights = f"{config['model']}/{config['pretrained']}"
        if weights not in pins.weights:
            targets = [f"make pin WEIGHTS={weights}=SOURCE"]
        if weights not in pins.weights or not pins.weights[weights].pinned:
            names.append(f"the weights {weights}")
        entry = pins.weights.get(weights)
        if config["precision"] == "int8" and not (entry and entry.int8):
            targets = [*(targets if names else ()), "make pin INT8=FOLDER"]
            names.append(f"the int8 scheme of {weights}")
    if not names:
        return ""
    where = "where the registries and the model hub can be reached"
    commands = " and ".join(f"'{target}'" for target in targets)
    return f"Not pinned: {', '.join(names)}. Run {commands} {where}."
