"""The rows of flags that can't be parameters: what goes into the images, and how they are built."""

from collections.abc import Mapping

from cdk_app import values
from cdk_app.constraints import OneOf
from cdk_app.table import Flags, Row

MODEL, BUILD = "Model", "Build"
AUTO = "auto"
IMAGES = {"both": ("lambda", "sagemaker"), "lambda": ("lambda",), "sagemaker": ("sagemaker",)}
# --output of the SageMaker image's build, by builder. SageMaker takes Docker's manifests alone, and BuildKit
# writes OCI's by default from 0.31 on, also for type=docker: https://github.com/moby/buildkit/pull/6844.
# type=docker, because the CDK pushes from the engine's store and type=image gets there from the engine's own
# builder alone. The classic builder and Podman (github.com/containers/buildah, pkg/parse) know neither.
SAGEMAKER_OUTPUTS: Mapping[str, list[str] | None] = {
    "buildkit": ["type=docker,oci-mediatypes=false"],
    "other": None,
}


def backends(flags: Flags) -> tuple[str, ...]:
    """The backends whose image is built."""
    return IMAGES[flags["images"]]


def instance_types(flags: Flags) -> tuple[str, ...]:
    """SageMaker instance types that the SageMaker image runs on, the default first."""
    return values.INSTANCE_TYPES["gpu" if flags["accelerator"] == "gpu" else flags["architecture"]]


PINS = ("optional", "required")

BUILD_FLAGS = (
    Row(
        flag="model",
        group=MODEL,
        default="ViT-B-32",
        rule=values.MODEL_NAME,
        text="The images' model, and the first part of X-Model: ViT-B-32 for meaning and words, "
        "sscd_disc_mixup for copies and remakes (docs/models.md), embedded for the small bundled model.",
    ),
    Row(
        flag="pretrained",
        group=MODEL,
        default="laion2b_s34b_b79k",
        rule=values.PRETRAINED_TAG,
        text="The model's weights, and the second part of X-Model. sscd_disc_mixup has only one kind, which "
        "is its default.",
    ),
    Row(
        flag="precision",
        group=MODEL,
        default="fp16",
        rule=OneOf(("fp16", "int8")),
        text="How the weights are stored: int8 is faster and slightly less exact.",
    ),
    Row(
        flag="architecture",
        group=BUILD,
        default="x86_64",
        rule=OneOf(("x86_64", "arm64")),
        text="The function's architecture and the images' platform; with arm64, SageMaker runs on Graviton.",
    ),
    Row(
        flag="accelerator",
        group=BUILD,
        default="cpu",
        rule=OneOf(("cpu", "gpu")),
        text="The SageMaker image and its instance types; gpu is always x86_64.",
    ),
    Row(
        flag="images",
        group=BUILD,
        default="both",
        rule=OneOf(tuple(IMAGES)),
        text="Which images are built. The values of the other backend are removed from the parameter, and "
        "the one that is built becomes the default.",
    ),
    Row(
        flag="builder",
        group=BUILD,
        default=AUTO,
        rule=OneOf((AUTO, *SAGEMAKER_OUTPUTS)),
        text="How the SageMaker image is built; auto detects which engine this machine has: see the section "
        "on the builder.",
    ),
    Row(
        flag="pins",
        group=BUILD,
        default="optional",
        rule=OneOf(PINS),
        text="optional uses bases and weights that make pin has not recorded by their names, and warns; "
        "required refuses them.",
    ),
)
