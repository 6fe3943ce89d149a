"""What a resolved stack's functions and endpoints are: where their code is, and how they run."""

from collections.abc import Mapping
from pathlib import Path

from local.backends.endpoints import EndpointSpec
from local.backends.functions import FunctionSpec
from local.synthesis import Assembly
from local.template.identifiers import DerivedIdentifiers, PseudoParameters
from local.template.intrinsics import Json, ResolveError
from local.template.resolve import ResolvedResource, ResolvedStack

WORKERS = 2
HANDLER = "handler.handler"
FUNCTION = "AWS::Lambda::Function"


def function_spec(
    root: Path, assembly: Assembly, pseudo: PseudoParameters, resource: ResolvedResource
) -> FunctionSpec:
    """Read a function. Raises ResolveError for one whose code is not in the assembly."""
    properties = resource.properties
    directory, handler = root / "lambda", command(resource) or HANDLER
    if not is_image(resource):
        key = properties["Code"]["S3Key"]
        if key not in assembly.files:
            raise ResolveError(f"{resource.logical_id}: its code {key} is no file asset of the assembly.")
        directory, handler = assembly.files[key], properties["Handler"]
    derive = DerivedIdentifiers(pseudo, {resource.logical_id: FUNCTION})
    return FunctionSpec(
        arn=derive.attribute(resource.logical_id, "Arn", properties),
        name=derive.name(resource.logical_id, properties),
        directory=directory,
        handler=handler,
        environment=_texts(properties.get("Environment", {}).get("Variables", {})),
        timeout_seconds=int(properties.get("Timeout", 3)),
        memory_megabytes=int(properties.get("MemorySize", 128)),
        workers=WORKERS if is_image(resource) else 1,
    )


def is_image(resource: ResolvedResource) -> bool:
    """Whether a function runs the Lambda image."""
    return bool(resource.properties.get("PackageType") == "Image")


def command(resource: ResolvedResource) -> str:
    """The handler that a function of the Lambda image has in place of the image's own; else nothing."""
    return str(resource.properties.get("ImageConfig", {}).get("Command", [""])[0])


def endpoint_spec(stack: ResolvedStack, resource: ResolvedResource) -> EndpointSpec:
    """Read an endpoint. Raises ResolveError unless it has one configuration and one model."""
    configs = stack.of_type("AWS::SageMaker::EndpointConfig")
    models = stack.of_type("AWS::SageMaker::Model")
    if len(configs) != 1 or len(models) != 1:
        raise ResolveError("One SageMaker endpoint configuration and one model are expected.")
    container = models[0].properties["PrimaryContainer"]
    return EndpointSpec(str(resource.properties["EndpointName"]), _texts(container.get("Environment", {})))


def _texts(variables: Mapping[str, Json]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}
