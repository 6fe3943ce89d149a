"""The backends' container images, built by the CDK at deployment; synthesis only hashes what goes in."""

import json

from aws_cdk import Aws, IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from cdk_app.config import ROOT, DeploymentConfig
from cdk_app.parameters import Parameters
from containers.pins import LAMBDA_BASE, PYTHON_BASE, Pins

# The build context is the repository's root, and of it this much: an edit elsewhere builds nothing anew.
SHARED = ("inference", "models", "containers", "checkpoints")
# Of those, what no Dockerfile copies.
UNUSED = ("containers/pin.py", "containers/sbom.py", "**/requirements*.in")
CACHES = ("**/__pycache__", "**/*.pyc", "**/.*_cache")
PLATFORMS = {
    "x86_64": ecr_assets.Platform.LINUX_AMD64,
    "arm64": ecr_assets.Platform.LINUX_ARM64,
}


def image(scope: Construct, backend: str, config: DeploymentConfig) -> ecr_assets.DockerImageAsset:
    """The image of a backend; `backend` is its folder's name, `lambda` or `sagemaker`."""
    arguments = {"MODEL": config.model, "PRETRAINED": config.pretrained, "PRECISION": config.precision}
    pins = Pins.load()  # a base without its digest is refused by the build itself: `make pin`
    arguments["BASE"] = pins.base(LAMBDA_BASE if backend == "lambda" else PYTHON_BASE)
    arguments["EXPORT_BASE"] = pins.base(PYTHON_BASE)
    architecture = config.architecture
    if backend == "sagemaker":
        arguments["ACCELERATOR"] = config.accelerator
        if config.accelerator == "gpu":  # SageMaker's GPU instances are x86_64
            architecture = "x86_64"
    return ecr_assets.DockerImageAsset(
        scope,
        "Image",
        directory=str(ROOT),
        file=f"{backend}/Dockerfile",
        exclude=["*", *(f"!{folder}" for folder in (*SHARED, backend)), *UNUSED, *CACHES],
        ignore_mode=IgnoreMode.DOCKER,
        platform=PLATFORMS[architecture],
        build_args=arguments,
    )


def model_name(config: DeploymentConfig) -> str:
    """What the containers answer as X-Model."""
    if config.model != "embedded":
        return f"{config.model}/{config.pretrained}"
    manifest = json.loads((ROOT / "models" / "embedded" / "manifest.json").read_text("utf-8"))
    return f"{manifest['model']}/{manifest['pretrained']}"


def service_environment(parameters: Parameters) -> dict[str, str]:
    """The environment of either container: buckets it may read, and the name that its metrics carry."""
    return {"IMAGE_BUCKETS": parameters["ImageBuckets"], "STACK_NAME": Aws.STACK_NAME}
