"""The backends' container images, built by the CDK at deployment; synthesis only hashes what goes in."""

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_cdk import Aws
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from cdk_app.build_rows import SAGEMAKER_OUTPUTS
from cdk_app.config import ROOT, DeploymentConfig
from cdk_app.parameters import Parameters
from supply_chain.pins import LAMBDA_BASE, PYTHON_BASE, Pins

EMBEDDED = "image_similarity/models/embedded"
# Of the repository, the build context is this much and the backend's own folder: an edit elsewhere builds
# nothing anew. `checkpoints` is there where somebody deploys weights of their own.
SHARED = (
    "image_similarity/__init__.py",
    "image_similarity/inference",
    EMBEDDED,
    "supply_chain",
    "checkpoints",
)
CACHES = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
BASES = {"lambda": LAMBDA_BASE, "sagemaker": PYTHON_BASE}
PLATFORMS = {
    "x86_64": ecr_assets.Platform.LINUX_AMD64,
    "arm64": ecr_assets.Platform.LINUX_ARM64,
}


def image(scope: Construct, backend: str, config: DeploymentConfig) -> ecr_assets.DockerImageAsset:
    """The image of a backend; `backend` is its folder's name, `lambda` or `sagemaker`."""
    pins = Pins.load(ROOT / "supply_chain" / "pins.json")
    arguments = {
        "BASE": pins.base(BASES[backend]),
        "EXPORT_BASE": pins.base(PYTHON_BASE),
        "MODEL": config["model"],
        "PRETRAINED": config["pretrained"],
        "PRECISION": config["precision"],
    }
    architecture, outputs = config["architecture"], None
    if backend == "sagemaker":
        arguments["ACCELERATOR"] = config["accelerator"]
        outputs = SAGEMAKER_OUTPUTS[config["builder"]]  # part of the tag: another manifest is another image
        if config["accelerator"] == "gpu":  # SageMaker's GPU instances are x86_64
            architecture = "x86_64"
    with TemporaryDirectory() as folder:
        _gather(Path(folder), backend)
        return ecr_assets.DockerImageAsset(
            scope,
            "Image",
            directory=folder,  # the CDK copies it while it exists
            file=f"{backend}/Dockerfile",
            platform=PLATFORMS[architecture],
            build_args=arguments,
            outputs=outputs,
        )


def model_name(config: DeploymentConfig) -> str:
    """What the containers answer as X-Model."""
    if config["model"] != "embedded":
        return f"{config['model']}/{config['pretrained']}"
    manifest = json.loads((ROOT / EMBEDDED / "manifest.json").read_text("utf-8"))
    return f"{manifest['model']}/{manifest['pretrained']}"


def service_environment(parameters: Parameters) -> dict[str, str]:
    """The environment of either container: what it may fetch and as whom, and the name on its metrics."""
    return {
        "IMAGE_BUCKETS": parameters["ImageBuckets"],
        "URL_HOSTS": parameters["UrlHosts"],
        "USER_AGENT_CONTACT": parameters["UserAgentContact"],
        "STACK_NAME": Aws.STACK_NAME,
    }


def _gather(folder: Path, backend: str) -> None:
    """Copy the build context. The CDK's own `exclude` would let .dockerignore bring the other backend in."""
    for name in (*SHARED, backend):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=CACHES)
        elif (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
