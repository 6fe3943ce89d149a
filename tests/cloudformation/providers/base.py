"""What the providers share: clients of the services, coercion of values, what a created resource is."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

from local.gateway.snapshot import LiveStage, Snapshot
from local.template.intrinsics import Json, as_text

Client: TypeAlias = Any  # boto3's clients are made at run time


class ProviderFailed(RuntimeError):
    """A service refused an operation; the message is the service's."""


@dataclass(frozen=True)
class Physical:
    """A resource that exists: what Ref and GetAtt give for it, and the name that its service knows it by."""

    ref: str
    name: str
    attributes: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One resource type."""

    def create(self, cloud: "Cloud", name: str, properties: Mapping[str, Json]) -> Physical:
        """Create a resource, under `name` where the properties name none. Raises ProviderFailed."""

    def update(
        self, cloud: "Cloud", physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Change a resource in place. Raises ProviderFailed."""

    def delete(self, cloud: "Cloud", physical: Physical, properties: Mapping[str, Json]) -> None:
        """Delete a resource. Raises ProviderFailed."""


class Cloud:
    """An account in one region: the services behind boto3, and what API Gateway keeps to itself.

    Args:
        region: AWS region.
        log_role: whether the account has a CloudWatch role for API Gateway, without which a stage with
            access logs is refused.
        web_acls: ARNs of regional web ACLs that exist.
        log_keys: ARNs of KMS keys whose policies let CloudWatch Logs use them.
        event_keys: ARNs of KMS keys whose policies let EventBridge use them.
        concurrency: the account's limit of Lambda functions at work at once.
    """

    def __init__(
        self,
        region: str,
        *,
        log_role: bool = False,
        web_acls: Collection[str] = (),
        log_keys: Collection[str] = (),
        event_keys: Collection[str] = (),
        concurrency: int = 1000,
    ) -> None:
        self.region = region
        self.log_role = log_role
        self.web_acls = web_acls
        self.log_keys = log_keys
        self.event_keys = event_keys
        self.concurrency = concurrency
        self.protected: dict[str, str] = {}  # web ACL by what it protects
        self.interfaces: dict[str, str] = {}  # role by function: network interfaces in a VPC of the account
        self.recursive: set[str] = set()  # functions whose loops Lambda lets be
        self.mappings: dict[str, Mapping[str, Json]] = {}  # properties of event source mappings, by id
        self.deleted_queues: set[str] = set()  # names
        self.apis: dict[str, Mapping[str, Json]] = {}  # what the last PutRestApi was given, by API
        self.snapshots: dict[str, Snapshot] = {}  # what each deployment froze
        self._clients: dict[str, Client] = {}

    def client(self, service: str) -> Client:
        """Return the client of a service."""
        if service not in self._clients:
            self.reach(service, None)
        return self._clients[service]

    def reach(self, service: str, url: str | None) -> None:
        """Make the client of a service, for an endpoint of its own where it has one."""
        # moto looks at no signature, and making one is a fifth of a call's time; its server needs the
        # service's name there.
        config = Config() if url else Config(signature_version=UNSIGNED)
        self._clients[service] = boto3.client(  # type: ignore[call-overload]
            service, region_name=self.region, config=config, endpoint_url=url
        )

    def call(self, service: str, operation: str, **parameters: Json) -> dict[str, Any]:
        """Call a service with values coerced to its types, as CloudFormation coerces them.

        Raises ProviderFailed with the service's message, also for a property that it does not know.
        """
        client = self.client(service)
        name = client.meta.method_to_api_mapping[operation]
        shape = client.meta.service_model.operation_model(name).input_shape
        try:
            answer: dict[str, Any] = getattr(client, operation)(**coerced(shape, parameters))
        except (ClientError, ParamValidationError) as error:
            raise ProviderFailed(str(error)) from error
        return answer

    def stages(self) -> list[LiveStage]:
        """Every stage of every API, with the snapshot of the deployment that it points to."""
        client = self.client("apigateway")
        return [
            LiveStage(
                api_id, stage["stageName"], stage.get("variables", {}), self.snapshots[stage["deploymentId"]]
            )
            for api_id in self.apis
            for stage in client.get_stages(restApiId=api_id)["item"]
        ]


def coerced(shape: Any, value: Json) -> Json:
    """Return a value in the types of a service's shape: CloudFormation's numbers may be text."""
    kind = getattr(shape, "type_name", None)
    if kind == "structure" and isinstance(value, Mapping):
        return {name: coerced(shape.members.get(name), item) for name, item in value.items()}
    if kind == "list" and isinstance(value, list):
        return [coerced(shape.member, item) for item in value]
    if kind == "map" and isinstance(value, Mapping):
        return {name: coerced(shape.value, item) for name, item in value.items()}
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else value == "true"
    return as_text(value) if kind == "string" else value


def tag_map(properties: Mapping[str, Json]) -> dict[str, str]:
    """Return the tags as most services' create operations take them; they are set at creation alone."""
    return {tag["Key"]: as_text(tag["Value"]) for tag in properties.get("Tags", [])}


def changed(before: Mapping[str, Json], after: Mapping[str, Json]) -> set[str]:
    """Names of the properties that differ."""
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}
