"""A resolved stack on this machine: its functions and endpoints started, its API ready to serve."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from local.backends.endpoints import EndpointSpec, LocalEndpoints
from local.backends.functions import BackendFailed, FunctionSpec, LocalFunctions
from local.gateway.integrations import Integrations
from local.gateway.openapi import live_stage
from local.gateway.permissions import Permissions
from local.gateway.server import Gateway
from local.gateway.signatures import AccessKey
from local.gateway.stack_policies import StackPolicies
from local.synthesis import Assembly
from local.template.intrinsics import Json, ResolveError
from local.template.resolve import ResolvedResource, ResolvedStack

WORKERS = 2
PICTURE = (  # a PNG of one grey pixel: the embedding that proves a backend ready
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


class LocalStack:
    """The running stack. `close` ends every process that it started."""

    def __init__(
        self,
        root: Path,
        stack: ResolvedStack,
        assembly: Assembly,
        *,
        environment: Mapping[str, str],
        logs: Path,
        emulator: Path | None,
        key: AccessKey | None,
    ) -> None:
        self._root = root
        self._stack = stack
        self._assembly = assembly
        self.functions = LocalFunctions(emulator, environment, logs)
        self.endpoints = LocalEndpoints(root, environment, logs)
        self.stage = live_stage(stack)
        permissions = Permissions(StackPolicies(stack), stack.pseudo)
        integrations = Integrations(self.functions, self.endpoints, permissions)
        self.gateway = Gateway(lambda: self.stage, integrations, key)

    def start(self, say: Callable[[str], None]) -> None:
        """Start every backend and let each make one embedding.

        Raises BackendFailed with the end of the backend's log.
        """
        for resource in self._stack.of_type("AWS::Lambda::Function"):
            spec = self._function(resource)
            say(f"Starting the Lambda function {resource.logical_id} ({spec.workers} at a time)")
            self.functions.start(spec)
            if _is_image(resource):
                for answer in self.functions.warm(spec.arn, _warm_up_event(self.stage.name)):
                    _expect_vector(json.loads(answer)["body"])
        for resource in self._stack.of_type("AWS::SageMaker::Endpoint"):
            endpoint = self._endpoint(resource)
            say(f"Starting the SageMaker endpoint {endpoint.name}")
            self.endpoints.start(endpoint)
            _expect_vector(self.endpoints.warm(endpoint.name, json.dumps({"img": PICTURE}).encode()))

    def close(self) -> None:
        """End every process."""
        self.functions.stop()
        self.endpoints.stop()

    def urls(self, origin: str) -> dict[str, str]:
        """Return the stack's URL outputs, on this machine: name to URL."""
        values = {name: str(value) for name, value in self._stack.outputs.items()}
        return {
            name: f"{origin}/{value.split('/', 3)[3]}"
            for name, value in values.items()
            if value.startswith("https://") and value.count("/") > 2
        }

    def _function(self, resource: ResolvedResource) -> FunctionSpec:
        properties = resource.properties
        directory, handler = self._root / "lambda", "handler.handler"
        if not _is_image(resource):
            key = properties["Code"]["S3Key"]
            if key not in self._assembly.files:
                raise ResolveError(f"{resource.logical_id}: its code {key} is no file asset of the assembly.")
            directory, handler = self._assembly.files[key], properties["Handler"]
        region, account = self._stack.pseudo.region, self._stack.pseudo.account
        name = str(properties.get("FunctionName", f"{self._stack.pseudo.stack_name}-{resource.logical_id}"))
        arn = f"arn:{self._stack.pseudo.partition}:lambda:{region}:{account}:function:{name}"
        return FunctionSpec(
            arn=arn,
            name=name,
            directory=directory,
            handler=handler,
            environment=_texts(properties.get("Environment", {}).get("Variables", {})),
            timeout_seconds=int(properties.get("Timeout", 3)),
            memory_megabytes=int(properties.get("MemorySize", 128)),
            workers=WORKERS if _is_image(resource) else 1,
        )

    def _endpoint(self, resource: ResolvedResource) -> EndpointSpec:
        configs = self._stack.of_type("AWS::SageMaker::EndpointConfig")
        models = self._stack.of_type("AWS::SageMaker::Model")
        if len(configs) != 1 or len(models) != 1:
            raise ResolveError("One SageMaker endpoint configuration and one model are expected.")
        container = models[0].properties["PrimaryContainer"]
        return EndpointSpec(
            str(resource.properties["EndpointName"]), _texts(container.get("Environment", {}))
        )


def _is_image(resource: ResolvedResource) -> bool:
    return bool(resource.properties.get("PackageType") == "Image")


def _texts(variables: Mapping[str, Json]) -> dict[str, str]:
    return {name: str(value) for name, value in variables.items()}


def _warm_up_event(stage: str) -> bytes:
    event = {
        "resource": "/image-similarity",
        "path": "/image-similarity",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "requestContext": {"requestId": "warm-up", "stage": stage},
        "body": json.dumps({"img": PICTURE}),
        "isBase64Encoded": False,
    }
    return json.dumps(event).encode()


def _expect_vector(body: str | bytes) -> None:
    if "result" not in json.loads(body):
        raise BackendFailed(f"The backend made no embedding: {body!r}")
