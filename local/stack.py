"""A resolved stack on this machine: its functions and endpoints started, its API ready to serve."""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

from local.backends.endpoints import LocalEndpoints
from local.backends.functions import BackendFailed, LocalFunctions
from local.backends.protocols import FunctionFailed
from local.catalogue import LocalCatalogue
from local.gateway.integrations import FUNCTION_URI, Integrations
from local.gateway.openapi import live_stage
from local.gateway.permissions import Permissions
from local.gateway.server import Gateway
from local.gateway.signatures import AccessKey
from local.gateway.snapshot import LiveStage
from local.gateway.stack_policies import StackPolicies
from local.specs import FUNCTION, command, endpoint_spec, function_spec, is_image
from local.synthesis import Assembly
from local.template.intrinsics import Json
from local.template.resolve import ResolvedResource, ResolvedStack

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
        cloud_port: int = 0,
    ) -> None:
        self._root, self._stack, self._assembly = root, stack, assembly
        self._environment, self._logs = environment, logs
        self.catalogue = LocalCatalogue.of(root, stack, cloud_port)
        if self.catalogue:
            environment = self.catalogue.environment(environment)
        self.functions = LocalFunctions(emulator, environment, logs)
        self.endpoints = LocalEndpoints(root, environment, logs)
        self.stage = _sync_as_all(live_stage(stack), stack)
        permissions = Permissions(StackPolicies(stack), stack.pseudo)
        integrations = Integrations(self.functions, self.endpoints, permissions)
        self.gateway = Gateway(lambda: self.stage, integrations, key)

    def start(self, say: Callable[[str], None]) -> None:
        """Start every backend and let each make one embedding.

        Raises BackendFailed with the end of the backend's log.
        """
        if self.catalogue:
            say("Starting the local S3, EventBridge, SQS, DynamoDB and S3 Vectors")
            self.catalogue.start(self._environment, self._logs)
        functions = self._stack.of_type(FUNCTION)
        for resource in (one for one in functions if not command(one)):
            self._start_function(resource, say)
        for resource in self._stack.of_type("AWS::SageMaker::Endpoint"):
            endpoint = endpoint_spec(self._stack, resource)
            say(f"Starting the SageMaker endpoint {endpoint.name}")
            self.endpoints.start(endpoint)
            _expect_vector(self.endpoints.warm(endpoint.name, json.dumps({"img": PICTURE}).encode()))
        if self.catalogue:
            self.catalogue.create()  # the cloud had the time that all the others took
        for resource in filter(command, functions):
            self._start_function(resource, say)

    def _start_function(self, resource: ResolvedResource, say: Callable[[str], None]) -> None:
        """Start a function; the API's makes its embeddings, the others wait for their first call."""
        spec = function_spec(self._root, self._assembly, self._stack.pseudo, resource)
        mapped = self.catalogue.workers(spec.name) if self.catalogue else None
        spec = replace(spec, workers=mapped or spec.workers)
        say(f"Starting the Lambda function {resource.logical_id} ({spec.workers} at a time)")
        self.functions.start(spec)
        if is_image(resource) and not command(resource):
            body = json.dumps({"img": PICTURE})
            say("Loading the model there, and making a first embedding")
            for answer in self.functions.warm(spec.arn, self._event("POST", "/image-similarity", body)):
                _expect_vector(json.loads(answer)["body"])

    def follow(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call the functions that a queue feeds, on the gateway's loop, which runs now."""
        if self.catalogue:
            self.catalogue.follow(lambda arn: lambda payload: self._invoke(loop, arn, payload))

    def call(self, loop: asyncio.AbstractEventLoop, method: str, path: str) -> Json:
        """Call a route that a function answers, from another thread. Raises BackendFailed."""
        route = self.stage.snapshot.route(method, path)
        function = FUNCTION_URI.fullmatch(route[0].integration.uri) if route else None
        if function is None:
            raise BackendFailed(f"No function answers {method} {path}.")
        answer = json.loads(self._invoke(loop, function[1], self._event(method, path)))
        if answer.get("statusCode", 500) >= 400:
            raise BackendFailed(f"{method} {path} answered {answer}")
        return json.loads(answer["body"])

    def _invoke(self, loop: asyncio.AbstractEventLoop, arn: str, payload: bytes) -> bytes:
        try:
            return asyncio.run_coroutine_threadsafe(self.functions.invoke(arn, payload), loop).result()
        except CancelledError as error:  # the loop ends
            raise FunctionFailed("the gateway stops") from error

    def rest(self) -> None:
        """Call no function any more on behalf of a queue."""
        if self.catalogue:
            self.catalogue.rest()

    def close(self) -> None:
        """End every process."""
        if self.catalogue:
            self.catalogue.stop()
        self.functions.stop()
        self.endpoints.stop()

    def urls(self, origin: str) -> dict[str, str]:
        """Return the URLs of the API among the stack's outputs, on this machine: name to URL."""
        values = {name: str(value) for name, value in self._stack.outputs.items()}
        return {
            name: f"{origin}/{value.split('/', 3)[3]}"
            for name, value in values.items()
            if value.startswith("https://") and ".execute-api." in value and value.count("/") > 2
        }

    def _event(self, method: str, path: str, body: str | None = None) -> bytes:
        event = {
            "resource": path,
            "path": path,
            "httpMethod": method,
            "headers": {"Content-Type": "application/json"},
            "multiValueHeaders": {"Content-Type": ["application/json"]},
            "requestContext": {"requestId": "warm-up", "stage": self.stage.name},
            "body": body,
            "isBase64Encoded": False,
        }
        return json.dumps(event).encode()


def _sync_as_all(stage: LiveStage, stack: ResolvedStack) -> LiveStage:
    """A sync is always signed on AWS. Here nobody else can call: it is signed where all calls are."""
    signed: Json = stack.parameters.get("APIGatewayAuthorization")
    routes = tuple(
        replace(route, authorization="NONE")
        if (route.method, route.path) == ("POST", "/catalogue/sync") and signed == "NONE"
        else route
        for route in stage.snapshot.routes
    )
    return replace(stage, snapshot=replace(stage.snapshot, routes=routes))


def _expect_vector(body: str | bytes) -> None:
    if "result" not in json.loads(body):
        raise BackendFailed(f"The backend made no embedding: {body!r}")
