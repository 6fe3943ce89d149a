"""What `cdk.json` and `-c` ask for, checked before anything is synthesized."""

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from cdk_app import values
from cdk_app.constraints import Constraint, OneOf

ROOT = Path(__file__).resolve().parent.parent
AUTO = "auto"
BACKEND_VALUES = {"lambda": "yes-lambda", "sagemaker": "yes-sagemaker", "none": "no"}
AUTHORIZATION_VALUES = {"IAM": "AWS_IAM", "NONE": "NONE"}
IMAGE_BACKENDS = {"both": ("lambda", "sagemaker"), "lambda": ("lambda",), "sagemaker": ("sagemaker",)}
# --output of the SageMaker image's build, by builder. SageMaker takes Docker's manifests alone, and BuildKit
# writes OCI's by default from 0.31 on, also for type=docker: https://github.com/moby/buildkit/pull/6844.
# type=docker, because the CDK pushes from the engine's store and type=image gets there from the engine's own
# builder alone. The classic builder and Podman (github.com/containers/buildah, pkg/parse) know neither.
SAGEMAKER_OUTPUTS: Mapping[str, list[str] | None] = {
    "buildkit": ["type=docker,oci-mediatypes=false"],
    "other": None,
}


class ConfigError(ValueError):
    """A context key or value that the app does not know; the message lists what it does know."""


@dataclass(frozen=True)
class DeploymentConfig:
    """The context flags, one field each, as they were checked by `from_context`.

    Those that name a CloudFormation parameter set its default; `model`, `pretrained`, `precision`,
    `architecture`, `accelerator`, `images` and `builder` decide what only synthesis can.
    """

    backend: str = "lambda"
    authorization: str = "IAM"
    api_explorer: str = "yes"
    stage: str = "prod"
    lambda_memory: str = "3008"
    sagemaker_instance_type: str = AUTO
    sagemaker_min: str = "1"
    sagemaker_max: str = "2"
    image_buckets: str = ""
    rate_limit: str = "50"
    burst_limit: str = "100"
    log_retention_days: str = "30"
    alarm_topic_arn: str = ""
    access_logs: str = "no"
    model: str = "ViT-B-32"
    pretrained: str = "laion2b_s34b_b79k"
    precision: str = "fp16"
    architecture: str = "x86_64"
    accelerator: str = "cpu"
    images: str = "both"
    builder: str = "buildkit"

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "DeploymentConfig":
        """Build the configuration from CDK context.

        Args:
            context: every context key; those of the CDK itself (with `:`, `/` or `@`) are left alone.

        Raises:
            ConfigError: a key or a value is not one of those allowed; the message lists them.
        """
        flags = {key: value for key, value in context.items() if not set(key) & set(":/@")}
        known = [field.name for field in fields(cls)]
        for key in flags.keys() - set(known):
            raise ConfigError(f"Context key '{key}' is unknown.{_hint(key, known)} Keys: {', '.join(known)}.")
        config = cls(**{key: _text(key, value) for key, value in flags.items()})
        for key, constraint in config.constraints().items():
            _check(key, getattr(config, key), constraint)
        return config._settled()

    def constraints(self) -> dict[str, Constraint]:
        """The rule of every flag; those of the instance types depend on other flags."""
        switch = OneOf(values.SWITCH)
        return {
            "accelerator": OneOf(("cpu", "gpu")),
            "architecture": OneOf(("x86_64", "arm64")),
            "images": OneOf(tuple(IMAGE_BACKENDS)),
            "builder": OneOf(tuple(SAGEMAKER_OUTPUTS)),
            "precision": OneOf(("fp16", "int8")),
            "model": values.MODEL_NAME,
            "pretrained": values.PRETRAINED_TAG,
            "backend": OneOf(tuple(BACKEND_VALUES)),
            "authorization": OneOf(tuple(AUTHORIZATION_VALUES)),
            "api_explorer": switch,
            "access_logs": switch,
            "stage": values.STAGE_NAME,
            "lambda_memory": values.LAMBDA_MEMORY,
            "sagemaker_instance_type": OneOf((AUTO, *self.instance_types)),
            "sagemaker_min": values.INSTANCES,
            "sagemaker_max": values.INSTANCES,
            "image_buckets": values.BUCKETS,
            "rate_limit": values.RATE,
            "burst_limit": values.BURST,
            "log_retention_days": OneOf(values.RETENTION_DAYS),
            "alarm_topic_arn": values.TOPIC_ARN,
        }

    @property
    def instance_types(self) -> tuple[str, ...]:
        """SageMaker instance types that the SageMaker image runs on, the default first."""
        kind = "gpu" if self.accelerator == "gpu" else self.architecture
        return values.INSTANCE_TYPES.get(kind, values.INSTANCE_TYPES["x86_64"])

    @property
    def backends(self) -> tuple[str, ...]:
        """The backends whose image is built."""
        return IMAGE_BACKENDS[self.images]

    def _settled(self) -> "DeploymentConfig":
        """Decide what depends on several flags. Raises ConfigError for a pair that cannot be."""
        if int(self.sagemaker_min) > int(self.sagemaker_max):
            raise ConfigError(
                f"sagemaker_min is {self.sagemaker_min} and sagemaker_max is {self.sagemaker_max}: "
                "the minimum can't be over the maximum."
            )
        if self.model == "embedded" and self.precision != "fp16":
            raise ConfigError("Context key 'precision': the embedded model comes as fp16 alone.")
        backend, instance_type = self.backend, self.sagemaker_instance_type
        if backend not in (*self.backends, "none"):  # cdk.json's default, with the other image alone built
            backend = self.backends[0]
        if instance_type == AUTO:
            instance_type = self.instance_types[0]
        return replace(self, backend=backend, sagemaker_instance_type=instance_type)


def defaults() -> dict[str, Any]:
    """The context of cdk.json, which the CDK command line hands over but a plain `python app.py` lacks."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    return context


def _text(key: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ConfigError(f"Context key '{key}' has the value {json.dumps(value)}; give a text or a number.")
    return str(value)


def _check(key: str, value: str, constraint: Constraint) -> None:
    if constraint.accepts(value):
        return
    hint = _hint(value, constraint.values) if isinstance(constraint, OneOf) else ""
    raise ConfigError(f"Context key '{key}' has the value '{value}'.{hint} Allowed: {constraint}.")


def _hint(word: str, known: tuple[str, ...] | list[str]) -> str:
    if word.isdigit():
        return ""  # a number is no misspelling of another
    close = difflib.get_close_matches(word, known, n=1)
    return f" Did you mean '{close[0]}'?" if close else ""
