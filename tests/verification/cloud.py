"""The engine's account as `verify.cloud` describes one."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from botocore.credentials import Credentials

from local.gateway.integrations import Integrations
from local.gateway.signatures import AccessKey
from local.synthesis import Assembly
from local.template.intrinsics import ResolveError
from local.template.policies import Call, Statement, allows
from tests.cloudformation.engine import Engine, Step
from tests.cloudformation.providers.policies import CloudPolicies, permissions
from tests.infrastructure.account import CREDENTIALS
from tests.verification.catalogue import Pollers, deliver
from tests.verification.gateway import AccountGateway, Server
from tests.verification.invoking import FUNCTION, AccountEndpoints, AccountFunctions
from tests.verification.pools import Pools
from tests.verification.telemetry import Telemetry
from verify.aws.http import Caller
from verify.aws.leftovers import leftovers
from verify.aws.services import AwsServices
from verify.cloud import Meanwhile
from verify.facts import Answer, CloudFailed, Endpoint, Function, Metric, Outcome, Request, Resource, Stack

ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Quirks:
    """How an account behaves otherwise than the services do: what a sabotaged stack does to callers."""

    answer: Callable[[Request, Answer], Answer] = lambda request, answer: answer
    line: Callable[[str], str] = lambda line: line
    init_milliseconds: float | None = None
    keeps_interfaces: bool = False
    updates: Callable[[Mapping[str, str]], Mapping[str, str]] = lambda changes: changes


class EngineServices(AwsServices):
    """boto3 on the mocked services; what these don't have is read where the engine keeps it."""

    def __init__(self, engine: Engine, telemetry: Telemetry, quirks: Quirks) -> None:
        super().__init__(engine.cloud.client, (engine.pseudo.partition, engine.cloud.region, ACCOUNT))
        self._engine, self._telemetry, self._quirks = engine, telemetry, quirks

    def function(self, name: str) -> Function:
        """moto does not tell a function's log group."""
        found = super().function(name)
        [created] = [
            item
            for item in self._engine.resources.values()
            if item.type == FUNCTION and item.physical.name == name
        ]
        return replace(found, log_group=created.properties.get("LoggingConfig", {}).get("LogGroup", ""))

    def endpoint(self, name: str) -> Endpoint:
        """Application Auto Scaling brings a variant up to a new minimum; moto's does nothing.

        https://docs.aws.amazon.com/autoscaling/application/userguide/getting-started.html (scalable target)
        """
        found = super().endpoint(name)
        scaling = self.scaling(name, found.variant)
        least = scaling.least if scaling else found.instances
        return replace(found, instances=max(found.instances, least))

    def log_lines(self, group: str, since: float) -> list[str]:
        """The lines as far as they have come."""
        self._telemetry.flush()
        return [self._quirks.line(line) for line in super().log_lines(group, since)]

    def samples(self, metric: Metric, since: float) -> int:
        """The values as far as they have come."""
        self._telemetry.flush()
        return super().samples(metric, since)

    def web_acl(self, api: str, stage: str) -> str:
        """moto's WAF knows no stages."""
        partition, region, _ = self._where
        arn = f"arn:{partition}:apigateway:{region}::/restapis/{api}/stages/{stage}"
        return self._engine.cloud.protected.get(arn, "")

    def interfaces(self, function: str) -> list[str]:
        """moto's Lambda makes none."""
        kept = self._quirks.keeps_interfaces or function in self._engine.cloud.interfaces
        return ["eni-0123456789abcdef0"] if kept else []

    def recursion(self, function: str) -> str:
        """moto's Lambda knows none."""
        return "Allow" if function in self._engine.cloud.recursive else "Terminate"

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """moto's EventBridge delivers whatever queues refuse."""
        deliver(self._engine.cloud, bucket)
        super().put_object(bucket, key, body)

    def delete_object(self, bucket: str, key: str) -> None:
        """See put_object."""
        deliver(self._engine.cloud, bucket)
        super().delete_object(bucket, key)

    def decision(self, role: str, action: str, function: str) -> str:
        """moto's IAM evaluates no policies."""
        partition, region, account = self._where
        arn = f"arn:{partition}:lambda:{region}:{account}:function:{function}"
        call = Call(action, "*", context={"lambda:SourceFunctionArn": arn})
        statements = CloudPolicies(self._engine.cloud).identity(role)
        return _decided(statements, call)


def _decided(statements: Sequence[Statement], call: Call) -> str:
    """The decision in IAM's words."""
    if allows(statements, call):
        return "allowed"
    allowing = [statement for statement in statements if statement["Effect"] == "Allow"]
    denied = [{**item, "Effect": "Allow"} for item in statements if item["Effect"] == "Deny"]
    if allows(denied, call) and allowing != statements:
        return "explicitDeny"
    return "implicitDeny"


class EngineCloud:
    """One stack; `close` hands the port back."""

    def __init__(
        self,
        engine: Engine,
        template: Mapping[str, Any],
        assembly: Assembly,
        *,
        server: Server,
        pools: Pools,
        quirks: Quirks | None = None,
    ) -> None:
        self.engine, self._template, self._quirks = engine, template, quirks or Quirks()
        self._status, self._ahead = "CREATE_COMPLETE", 0.0
        self.region, self.account = engine.cloud.region, ACCOUNT
        telemetry = Telemetry(engine.cloud, self.now)
        self._services = EngineServices(engine, telemetry, self._quirks)
        self.functions = AccountFunctions(engine, assembly, pools, telemetry)
        self.functions.init_milliseconds = self._quirks.init_milliseconds
        self._pollers = Pollers(engine, self.functions.invoke, server.wait_for)
        endpoints = AccountEndpoints(engine, pools, telemetry, self._may_put)
        key = AccessKey(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"], self.region)
        server.serving = AccountGateway(
            engine.cloud,
            lambda: Integrations(self.functions, endpoints, permissions(engine.cloud)),
            key,
            telemetry,
        )
        self._caller = Caller(server.origin, Credentials(key.key_id, key.secret), self.region, proxies=False)

    @property
    def services(self) -> EngineServices:
        return self._services

    def stack(self) -> Stack:
        engine = self.engine
        resources = {name: Resource(item.type, item.physical.ref) for name, item in engine.resources.items()}
        outputs = {name: str(value) for name, value in engine.outputs.items()}
        identity = engine.pseudo.values["AWS::StackId"]
        return Stack(identity, self._status, dict(engine.parameters), outputs, resources)

    def allowed(self, parameter: str) -> list[str]:
        return list(self._template["Parameters"][parameter].get("AllowedValues", []))

    def update(self, changes: Mapping[str, str], meanwhile: Meanwhile) -> Outcome:
        """Deploy. What interrupts `meanwhile` is raised at the end: CloudFormation goes on without us."""
        interrupted: list[BaseException] = []

        def tick(_: Step) -> None:
            if not interrupted:
                try:
                    meanwhile()
                except BaseException as error:
                    interrupted.append(error)

        self.engine.on_step = tick
        began = time.monotonic()
        try:
            outcome = self.engine.deploy(self._template, self._quirks.updates(changes))
        except ResolveError as error:
            raise CloudFailed(str(error)) from error
        finally:
            self.engine.on_step = lambda step: None
        if interrupted:
            raise interrupted[0]
        self._status = outcome.status
        return Outcome(outcome.status, outcome.reason, time.monotonic() - began)

    def delete(self) -> Outcome:
        outcome = self.engine.delete()
        return Outcome(outcome.status, outcome.reason)

    def leftovers(self, stack: Stack) -> list[str]:
        return leftovers(self.engine.cloud.client, stack)

    def call(self, request: Request) -> Answer:
        return self._quirks.answer(request, self._caller.call(request))

    def now(self) -> float:
        return time.time() + self._ahead

    def pause(self, seconds: float) -> None:
        """Nothing here comes later than what waits in queues: the clock is put forward."""
        self._pollers.poll()
        self._ahead += seconds

    def _may_put(self, role: str, namespace: str) -> bool:
        statements = CloudPolicies(self.engine.cloud).identity(role)
        return allows(
            statements, Call("cloudwatch:PutMetricData", "*", context={"cloudwatch:namespace": namespace})
        )
