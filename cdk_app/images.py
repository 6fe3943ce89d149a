"""The backends' container images, built by the CDK at deployment; synthesis only hashes what goes in."""

import json
import re
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import Aws
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from cdk_app.build_rows import SAGEMAKER_OUTPUTS
from cdk_app.builder import builder
from cdk_app.config import ROOT, DeploymentConfig
from cdk_app.parameters import Parameters
from supply_chain.pins import LAMBDA_BASE, PYTHON_BASE, Pins

EMBEDDED = "image_similarity/models/embedded"
COPIES = re.compile(r"^COPY (?!--from)(.+) \S+$", re.MULTILINE)
CACHES = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
BASES = {"lambda": LAMBDA_BASE, "sagemaker": PYTHON_BASE}
PLATFORMS = {
    "x86_64": ecr_assets.Platform.LINUX_AMD64,
    "arm64": ecr_assets.Platform.LINUX_ARM64,
}


def image(scope: Construct, backend: str, config: DeploymentConfig) -> ecr_assets.DockerImageAsset:
    """The image of a backend; `backend` is its folder's name, `lambda` or `sagemaker`."""
    gpu = backend == "sagemaker" and config["accelerator"] == "gpu"
    architecture = "x86_64" if gpu else config["architecture"]  # SageMaker's GPU instances are x86_64
    # Part of the tag: another manifest is another image.
    outputs = SAGEMAKER_OUTPUTS[builder(config["builder"])] if backend == "sagemaker" else None
    with TemporaryDirectory() as folder:
        _gather(Path(folder), backend)
        return ecr_assets.DockerImageAsset(
            scope,
            "Image",
            directory=folder,  # the CDK copies it while it exists
            file=f"{backend}/Dockerfile",
            platform=PLATFORMS[architecture],
            build_args=build_arguments(backend, config),
            outputs=outputs,
        )


def build_arguments(backend: str, config: DeploymentConfig) -> dict[str, str]:
    """The build arguments of a backend's image: pinned bases, the model, the accelerator."""
    pins = Pins.load(ROOT / "supply_chain" / "pins.json")
    arguments = {
        "BASE": pins.base(BASES[backend]),
        "EXPORT_BASE": pins.base(PYTHON_BASE),
        "MODEL": config["model"],
        "PRETRAINED": config["pretrained"],
        "PRECISION": config["precision"],
        "PINS": config["pins"],
    }
    if backend == "sagemaker":
        arguments["ACCELERATOR"] = config["accelerator"]
    return arguments


def model_name(config: DeploymentConfig) -> str:
    """What the containers answer as X-Model."""
    if config["model"] != "embedded":
        return f"{config['model']}/{config['pretrained']}"
    manifest = embedded_manifest()
    return f"{manifest['model']}/{manifest['pretrained']}"


def embedded_manifest() -> dict[str, Any]:
    """The bundled model's manifest."""
    manifest: dict[str, Any] = json.loads((ROOT / EMBEDDED / "manifest.json").read_text("utf-8"))
    return manifest


def service_environment(parameters: Parameters) -> dict[str, str]:
    """The environment of either container: what it may fetch and as whom, and the name on its metrics."""
    return {
        "IMAGE_BUCKETS": parameters["ImageBuckets"],
        "URL_HOSTS": parameters["UrlHosts"],
        "USER_AGENT_CONTACT": parameters["UserAgentContact"],
        "STACK_NAME": Aws.STACK_NAME,
    }


def _gather(folder: Path, backend: str) -> None:
    """Copy what the Dockerfile copies, so that an edit elsewhere builds nothing anew.

    The CDK's own `exclude` would let .dockerignore bring the rest in.
    """
    dockerfile = Path(backend, "Dockerfile")
    text = (ROOT / dockerfile).read_text("utf-8").replace("\\\n", " ")
    patterns = " ".join(COPIES.findall(text)).split()
    for source in (found for pattern in patterns for found in ROOT.glob(pattern)):
        target = folder / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=CACHES, dirs_exist_ok=True)
        else:
            shutil.copy(source, target)
    shutil.copy(ROOT / dockerfile, folder / dockerfile)
