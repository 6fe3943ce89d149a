"""Lambda's Invoke and SageMaker's InvokeEndpoint on the account's own functions and endpoints."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from local.backends.endpoints import LocalEndpoints
from local.backends.functions import BackendFailed, LocalFunctions
from local.backends.protocols import EndpointAnswer, FunctionFailed
from local.gateway.messages import Refusal
from local.synthesis import Assembly
from tests.cloudformation.engine import Created, Engine
from tests.verification.pools import ROOT, Code, Pool, Pools
from tests.verification.telemetry import Telemetry

WORKERS = 1
HANDLER, INDEXING = "handler.handler", "catalogue.index"
FUNCTION = "AWS::Lambda::Function"
CPU = ("/aws/sagemaker/Endpoints", "CPUUtilization")


class AccountFunctions:
    """Invokes by what the engine created: code, environment, memory, reserved concurrency."""

    def __init__(self, engine: Engine, assembly: Assembly, pools: Pools, telemetry: Telemetry) -> None:
        self._engine, self._assembly, self._pools, self._telemetry = engine, assembly, pools, telemetry
        self._active: Counter[str] = Counter()
        self._seen: set[str] = set()
        self.init_milliseconds: float | None = None
        """What a start is said to take, for a stack whose starts are slow."""

    async def invoke(self, arn: str, payload: bytes) -> bytes:
        """See `local.backends.protocols.Functions`; more at once than are reserved are Lambda's 429.

        What API Gateway makes of that is docs/architecture.md's belief: API_CONFIGURATION_ERROR.
        """
        name = arn.rsplit(":", 1)[-1]
        self._engine.cloud.client("lambda").get_function_configuration(FunctionName=name)
        created = next(item for item in self._engine.resources.values() if item.physical.name == name)
        reserved = created.properties.get("ReservedConcurrentExecutions")
        if reserved is not None and self._active[name] >= int(reserved):
            raise Refusal("API_CONFIGURATION_ERROR", "Rate Exceeded.")
        self._active[name] += 1
        try:
            return await self._invoke(created, payload)
        finally:
            self._active[name] -= 1

    async def _invoke(self, created: Created, payload: bytes) -> bytes:
        try:
            pool = await asyncio.to_thread(self._pool, created.properties)
        except BackendFailed as error:
            raise FunctionFailed(str(error)) from error
        assert isinstance(pool.backend, LocalFunctions)
        group, role = created.properties["LoggingConfig"]["LogGroup"], created.properties["Role"]
        self._telemetry.follow(pool, group, role)
        if pool.name not in self._seen:
            self._seen.add(pool.name)
            took = self.init_milliseconds or pool.start_milliseconds
            metrics = {"durationMs": 1.0, "initDurationMs": took}
            report = {"type": "platform.report", "record": {"requestId": "probe", "metrics": metrics}}
            self._telemetry.write(group, role, [json.dumps(report, separators=(",", ":"))])
        began = time.perf_counter()
        answer = await pool.backend.invoke(pool.name, payload)
        dimensions = {"FunctionName": created.physical.name}
        self._telemetry.value("AWS/Lambda", "Invocations", dimensions)
        self._telemetry.value("AWS/Lambda", "Duration", dimensions, (time.perf_counter() - began) * 1000)
        return answer

    def _pool(self, properties: Mapping[str, Any]) -> Pool:
        variables = {name: str(value) for name, value in properties["Environment"]["Variables"].items()}
        memory, timeout = int(properties["MemorySize"]), int(properties["Timeout"])
        return self._pools.function(self._code(properties), variables, memory, timeout)

    def _code(self, properties: Mapping[str, Any]) -> Code:
        if properties.get("PackageType") != "Image":
            return Code(self._assembly.files[properties["Code"]["S3Key"]], properties["Handler"], 1)
        [command] = properties.get("ImageConfig", {}).get("Command", [HANDLER])
        return Code(ROOT / "lambda", command, WORKERS if command == HANDLER else 1, command != INDEXING)


class AccountEndpoints:
    """Invokes by what the engine created: the endpoint's model and its environment."""

    def __init__(
        self, engine: Engine, pools: Pools, telemetry: Telemetry, may: Callable[[str, str], bool]
    ) -> None:
        self._engine, self._pools, self._telemetry, self._may = engine, pools, telemetry, may

    async def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        """See `local.backends.protocols.Endpoints`."""
        client = self._engine.cloud.client("sagemaker")
        known = {item["EndpointName"]: item for item in client.list_endpoints()["Endpoints"]}
        if name not in known:
            text = json.dumps({"Message": f"Endpoint {name} of account 123456789012 not found."})
            return EndpointAnswer(400, {"Content-Type": "application/json"}, text.encode())
        config = client.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        [variant] = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
        model = client.describe_model(ModelName=variant["ModelName"])
        environment = model["PrimaryContainer"].get("Environment", {})
        pool = await asyncio.to_thread(self._pools.endpoint, environment)
        assert isinstance(pool.backend, LocalEndpoints)
        self._telemetry.follow(pool, f"/aws/sagemaker/Endpoints/{name}", model["ExecutionRoleArn"])
        answer = await pool.backend.invoke(pool.name, headers, body)
        self._tell(name, variant["VariantName"], model["ExecutionRoleArn"])
        return answer

    def _tell(self, endpoint: str, variant: str, role: str) -> None:
        """The service's own figures, and those of the instance."""
        dimensions = {"EndpointName": endpoint, "VariantName": variant}
        self._telemetry.value("AWS/SageMaker", "Invocations", dimensions)
        if self._may(role, CPU[0]):
            self._telemetry.value(*CPU, dimensions, 50.0)
