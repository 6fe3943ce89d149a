"""What the template names is what AWS has: runtimes, instance types, hosts."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import botocore.session
import cfnlint

from cdk_app.values import INSTANCE_TYPES
from tests.infrastructure.synthesis import Synthesized, of_type

LIFECYCLE = Path(cfnlint.__file__).parent / "data" / "AdditionalSpecs" / "LmbdRuntimeLifecycle.json"


def values_of(service: str, shape: str) -> list[str]:
    """The values that the service's API model lists for a shape."""
    model = botocore.session.get_session().get_service_model(service)
    return list(model.shape_for(shape).metadata["enum"])


def test_every_runtime_is_supported_as_long_as_the_newest_of_its_kind(resources: Mapping[str, Any]) -> None:
    lifecycle = json.loads(LIFECYCLE.read_text())
    functions = of_type(resources, "AWS::Lambda::Function").values()
    runtimes = {
        f["Properties"]["Runtime"] for f in functions if f["Properties"].get("PackageType") != "Image"
    }
    assert runtimes
    for runtime in runtimes:
        assert runtime in values_of("lambda", "Runtime")
        successor = lifecycle[runtime]["successor"]
        assert successor is None or lifecycle[successor]["deprecated"] == lifecycle[runtime]["deprecated"]


def test_every_instance_type_and_host_is_sagemakers(synthesized: Callable[..., Synthesized]) -> None:
    known = set(values_of("sagemaker", "ProductionVariantInstanceType"))
    for types in INSTANCE_TYPES.values():
        assert set(types) <= known
    made = synthesized(accelerator="gpu", architecture="arm64").template["Resources"]
    variant, *_ = made["SageMakerEndpointConfig"]["Properties"]["ProductionVariants"]
    assert variant["InferenceAmiVersion"] in values_of("sagemaker", "ProductionVariantInferenceAmiVersion")
