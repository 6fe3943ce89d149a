"""A mocked account with the CDK's bootstrap bucket, one stack in it, and what can be seen from outside."""

import asyncio
import io
import json
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from unittest import mock

import httpx
from moto.core.utils import method_names_from_class

from local.backends.protocols import EndpointAnswer
from local.gateway.integrations import ENDPOINT_URI, FUNCTION_URI, Integrations
from local.gateway.permissions import API_GATEWAY, LAMBDA, Permissions
from local.gateway.server import Gateway
from local.gateway.snapshot import LiveStage, Route
from local.synthesis import Assembly
from local.template.identifiers import PseudoParameters
from local.template.policies import Statement, listed
from tests.cloudformation.engine import Engine
from tests.cloudformation.providers import Cloud
from tests.cloudformation.providers.gaps import mocked_services
from tests.cloudformation.providers.policies import CloudPolicies
from tests.infrastructure.inventory import inventory
from tests.infrastructure.registry import push

REGION = "us-east-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
Json = Any
_ACL = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl"
GUID = "473e64fd-f30b-4765-81a0-62ad96dd167a"
WEB_ACLS = tuple(f"{_ACL}/{name}/{GUID}" for name in ("one", "two"))
LOG_KEYS = (f"arn:aws:kms:us-east-1:123456789012:key/{GUID}",)


@dataclass
class Account:
    """The stack's engine and boto3 clients on the same mocked services."""

    engine: Engine
    _seen: dict[str, dict[str, Json]] = field(default_factory=dict)

    def forget(self, resource_type: str) -> None:
        """Describe a service anew after one of its resources changed."""
        self._seen.pop(resource_type.split("::")[1], None)

    def _once(self, service: str, key: str, describe: Callable[[], Json]) -> Json:
        """What a service described since its last change: boto3 calls are slow, and there are many."""
        known = self._seen.setdefault(service, {})
        if key not in known:
            known[key] = describe()
        return known[key]

    @property
    def cloud(self) -> Cloud:
        return self.engine.cloud

    def client(self, service: str) -> Json:
        return self.cloud.client(service)

    def stage(self) -> LiveStage:
        [stage] = self.cloud.stages()
        return stage

    def inventory(self) -> dict[str, list[str]]:
        """Everything that the services describe, by kind; kinds that have nothing are left out."""
        described = inventory(self.client, self.statements)
        kept = {
            "AWS::WAFv2::WebACLAssociation": sorted(self.cloud.protected),
            "recursive functions": sorted(self.cloud.recursive),
            "network interfaces": sorted(self.cloud.interfaces),
        }
        return described | {kind: names for kind, names in kept.items() if names}

    def statements(self, function: str) -> list[dict[str, Json]]:
        """Statements of a function's resource policy."""
        client = self.client("lambda")
        try:
            policy: dict[str, Json] = json.loads(client.get_policy(FunctionName=function)["Policy"])
        except client.exceptions.ResourceNotFoundException:
            return []
        return list(policy["Statement"])

    def check_callable(self, stage: LiveStage, route: Route) -> None:
        """Assert that what a served route points to exists, and that API Gateway may call it."""
        if route.integration.kind == "aws_proxy":
            match = FUNCTION_URI.fullmatch(route.integration.uri)
            assert match, route.integration.uri
            self._check_function(match[1], stage, route)
        if route.integration.kind == "aws":
            uri = route.integration.uri.replace(
                "${stageVariables.endpoint}", stage.variables.get("endpoint", "")
            )
            match = ENDPOINT_URI.fullmatch(uri)
            assert match, uri
            self._check_endpoint(match[1], route)

    def _check_function(self, arn: str, stage: LiveStage, route: Route) -> None:
        listed = self._once(
            "Lambda", "functions", lambda: self.client("lambda").list_functions()["Functions"]
        )
        functions = {item["FunctionArn"]: item for item in listed}
        assert arn in functions, f"{route.method} {route.path} is served, but {arn} is gone"
        assert self.permissions.may_invoke_function(arn, stage, route), (
            f"nothing of {self.function(arn)} allows {route.method} {route.path} to call {arn}"
        )
        self._check_role(LAMBDA, functions[arn]["Role"])

    def _check_endpoint(self, name: str, route: Route) -> None:
        endpoint = self._once("SageMaker", name, lambda: self._endpoint(name))
        assert endpoint["EndpointStatus"] == "InService"
        role = route.integration.credentials
        self._check_role(API_GATEWAY, role)
        assert self.permissions.may_invoke_endpoint(role, name), f"{self.identity(role)} allows not {name}"

    def _check_role(self, service: str, role: str) -> None:
        assert self.permissions.may_assume(service, role), (
            f"{service} can't assume {role}, which trusts {self.trust(role)}"
        )

    def check_roles(self) -> None:
        """Assert that every role can be assumed by each service that it trusts."""
        for role in self.client("iam").list_roles()["Roles"]:
            for statement in self.trust(role["Arn"]):
                for service in listed(statement["Principal"]["Service"]):
                    self._check_role(service, role["Arn"])

    def _endpoint(self, name: str) -> dict[str, Json]:
        """An endpoint whose configuration must exist too."""
        client = self.client("sagemaker")
        endpoint: dict[str, Json] = client.describe_endpoint(EndpointName=name)
        client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        return endpoint

    @property
    def permissions(self) -> Permissions:
        return Permissions(self, self.engine.pseudo)

    def trust(self, role: str) -> Sequence[Statement]:
        return self._policy("IAM", f"trust {role}", lambda policies: policies.trust(role))

    def identity(self, role: str) -> Sequence[Statement]:
        return self._policy("IAM", f"identity {role}", lambda policies: policies.identity(role))

    def function(self, function: str) -> Sequence[Statement]:
        return self._policy("Lambda", f"policy {function}", lambda policies: policies.function(function))

    def queue(self, queue: str) -> Sequence[Statement]:
        return self._policy("SQS", f"policy {queue}", lambda policies: policies.queue(queue))

    def _policy(
        self, service: str, key: str, read: Callable[[CloudPolicies], Sequence[Statement]]
    ) -> Sequence[Statement]:
        statements: Sequence[Statement] = self._once(service, key, lambda: read(CloudPolicies(self.cloud)))
        return statements

    def call(self, method: str, path: str) -> tuple[int, Json]:
        """Status and JSON of an unsigned request through the gateway; backends answer with their name."""
        gateway = Gateway(self.stage, Integrations(_Named(self), _Named(self), self.permissions))
        transport = httpx.ASGITransport(gateway.application(lambda: True))

        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://api") as client:
                return await client.request(method, path, json={} if method == "POST" else None)

        response = asyncio.run(send())
        return response.status_code, response.json() if response.content else None


class _Named:
    """Functions and endpoints that say who answered, where the services know them."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def invoke(self, name: str, *request: object) -> Any:
        if name.startswith("arn:"):
            self._account.client("lambda").get_function(FunctionName=name)
            return json.dumps({"statusCode": 200, "body": json.dumps({"answered": "lambda"})}).encode()
        self._account.client("sagemaker").describe_endpoint(EndpointName=name)
        body = json.dumps({"answered": name}).encode()
        return EndpointAnswer(200, {"Content-Type": "application/json"}, body)


@contextmanager
def account(assembly: Assembly, *, log_role: bool = True, seed: int = 0) -> Iterator[Account]:
    """An account whose bootstrap bucket holds the assembly's file assets, and no stack yet."""
    # moto lists a class's methods by inspection at every call: a fifth of its time, and always the same.
    listed = mock.patch("moto.core.responses.method_names_from_class", cache(method_names_from_class))
    with mock.patch.dict("os.environ", CREDENTIALS), listed, mocked_services():
        cloud = Cloud(REGION, log_role=log_role, web_acls=WEB_ACLS, log_keys=LOG_KEYS, event_keys=LOG_KEYS)
        bucket = f"cdk-hnb659fds-assets-123456789012-{REGION}"
        cloud.client("s3").create_bucket(Bucket=bucket)
        for key in assembly.files:
            cloud.client("s3").put_object(Bucket=bucket, Key=key, Body=empty_zip())
        pseudo = PseudoParameters(region=REGION)
        push(cloud, assembly, pseudo)
        yield Account(Engine(cloud, pseudo, seed=seed))


def empty_zip() -> bytes:
    """A function's code, for services that only look whether it is a zip."""
    out = io.BytesIO()
    zipfile.ZipFile(out, "w").close()
    return out.getvalue()
