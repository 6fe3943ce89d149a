"""The backends' container images, built by the CDK at deployment; synthesis only hashes what goes in."""

import json

from aws_cdk import Aws, IgnoreMode
from aws_cdk import aws_ecr_assets as ecr_assets
from constructs import Construct

from cdk_app.config import ROOT, DeploymentConfig
from cdk_app.parameters import Parameters

# The build context is the repository's root, and of it this much: an edit elsewhere builds nothing anew.
SHARED = ("inference", "models", "containers", "checkpoints")
CACHES = ("**/__pycache__", "**/*.pyc", "**/.*_cache")
PLATFORMS = {
    "x86_64": ecr_assets.Platform.LINUX_AMD64,
    "arm64": ecr_assets.Platform.LINUX_ARM64,
}


def image(scope: Construct, backend: str, config: DeploymentConfig) -> ecr_assets.DockerImageAsset:
    """The image of a backend; `backend` is its folder's name, `lambda` or `sagemaker`."""
    arguments = {"MODEL": config.model, "PRETRAINED": config.pretrained, "PRECISION": config.precision}
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
        exclude=["*", *(f"!{folder}" for folder in (*SHARED, backend)), *CACHES],
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
