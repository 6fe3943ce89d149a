"""What the checks need of a cloud: one stack in an account, its API, and what the services describe.

`verify.aws` is an account behind boto3. Whatever else has these methods can be verified as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = Any
Meanwhile = Callable[[], None]


class CloudFailed(RuntimeError):
    """The cloud can't be read or changed; the message says why, and what to do where that is known."""


@dataclass(frozen=True)
class Resource:
    """A resource of the stack: its CloudFormation type, and the physical id that CloudFormation tells."""

    type: str
    physical: str

    @property
    def name(self) -> str:
        """The name by which the service knows it: the last part of an ARN or of a path, or the id itself."""
        return self.physical.rsplit("/", 1)[-1] if self.physical.startswith("arn:") else self.physical


@dataclass(frozen=True)
class Stack:
    """The stack as CloudFormation describes it."""

    id: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]
    resources: Mapping[str, Resource]  # by logical id

    def of_type(self, kind: str) -> list[Resource]:
        """Resources of one CloudFormation type."""
        return [item for item in self.resources.values() if item.type == kind]


@dataclass(frozen=True)
class Outcome:
    """How an update or a deletion ended: the stack's status, the first reason of a failure, the seconds."""

    status: str
    reason: str = ""
    seconds: float = 0.0

    @property
    def worked(self) -> bool:
        """Whether what was wanted has been done."""
        return self.status in ("UPDATE_COMPLETE", "DELETE_COMPLETE")


@dataclass(frozen=True)
class Request:
    """One HTTP request to the API; the path holds the stage."""

    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    signed: bool = False


@dataclass(frozen=True)
class Answer:
    """One HTTP answer; names of headers in lower case, the body decoded as its Content-Encoding says."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Function:
    """A Lambda function: memory in MB, the reserved concurrency or None, and where it runs."""

    memory: int
    reserved: int | None
    environment: Mapping[str, str]
    role: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    log_group: str


@dataclass(frozen=True)
class Model:
    """A SageMaker model."""

    image: str
    environment: Mapping[str, str]
    subnets: tuple[str, ...]


@dataclass(frozen=True)
class Endpoint:
    """A SageMaker endpoint with one variant."""

    status: str
    variant: str
    instance_type: str
    instances: int


@dataclass(frozen=True)
class Scaling:
    """What Application Auto Scaling does with a variant."""

    least: int
    most: int
    policies: tuple[str, ...]


@dataclass(frozen=True)
class StageSettings:
    """What a stage serves, and how."""

    deployment: str
    rate: float
    burst: int
    access_log_group: str  # its name, or nothing


@dataclass(frozen=True)
class LogGroup:
    """A log group: days until lines are deleted, and its key where it is not AWS's own."""

    retention: int | None
    key: str


@dataclass(frozen=True, order=True)
class Metric:
    """One metric of CloudWatch; dimensions as sorted pairs."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return f"{self.namespace} {self.name}"


@dataclass(frozen=True)
class Alarm:
    """An alarm: its state, whom it tells, and the metrics that it watches."""

    state: str
    actions: tuple[str, ...]
    metrics: tuple[Metric, ...]


class Services(Protocol):
    """What the account's services describe. Every method raises CloudFailed."""

    def function(self, name: str) -> Function:
        """A Lambda function."""

    def model(self, name: str) -> Model:
        """A SageMaker model."""

    def endpoint(self, name: str) -> Endpoint:
        """A SageMaker endpoint."""

    def scaling(self, endpoint: str, variant: str) -> Scaling | None:
        """The scaling of an endpoint's variant; None where it is not scaled."""

    def stage(self, api: str, name: str) -> StageSettings:
        """A stage of an API."""

    def deployments(self, api: str) -> list[str]:
        """Ids of an API's deployments."""

    def methods(self, api: str) -> set[tuple[str, str, str]]:
        """Method, path and authorization type of every method of an API's resources."""

    def web_acl(self, api: str, stage: str) -> str:
        """ARN of the web ACL before a stage, or nothing."""

    def log_groups(self, names: Sequence[str]) -> dict[str, LogGroup]:
        """Log groups by name; those that do not exist are left out."""

    def log_lines(self, group: str, since: float) -> list[str]:
        """A group's lines since a time (seconds since 1970), the oldest first."""

    def alarms(self, names: Sequence[str]) -> dict[str, Alarm]:
        """Alarms by name; those that do not exist are left out."""

    def dashboard(self, name: str) -> Json:
        """A dashboard's body."""

    def samples(self, metric: Metric, since: float) -> int:
        """How many values a metric has got since a time (seconds since 1970)."""

    def manifest_type(self, image: str) -> str:
        """Media type of an image's manifest in ECR."""

    def interfaces(self, function: str) -> list[str]:
        """Ids of the network interfaces that Lambda keeps for a function."""

    def decision(self, role: str, action: str, function: str) -> str:
        """What IAM decides on an action of a role's session in a function's code: allowed, or which deny."""

    def role_of(self, function: str) -> str:
        """ARN of a function's role."""

    def event_pattern(self, rule: str) -> Json:
        """An EventBridge rule's pattern."""

    def recursion(self, function: str) -> str:
        """What Lambda does with a loop through a function: Allow or Terminate."""

    def put_object(self, bucket: str, key: str, body: bytes) -> None:
        """Write an object."""

    def delete_object(self, bucket: str, key: str) -> None:
        """Delete an object."""


class Cloud(Protocol):
    """One stack in one region of one account."""

    @property
    def services(self) -> Services:
        """What else the account has."""

    @property
    def region(self) -> str:
        """The stack's region."""

    @property
    def account(self) -> str:
        """The account's number."""

    def stack(self) -> Stack:
        """The stack now. Raises CloudFailed."""

    def allowed(self, parameter: str) -> list[str]:
        """The values that the template allows for a parameter; none where it lists none."""

    def update(self, changes: Mapping[str, str], meanwhile: Meanwhile) -> Outcome:
        """Change parameters on the unchanged template and wait for the end.

        Args:
            changes: by name; all others keep their values.
            meanwhile: called again and again while the update runs.

        Raises:
            CloudFailed: CloudFormation refuses the update before it begins.
        """

    def delete(self) -> Outcome:
        """Delete the stack and wait for the end."""

    def leftovers(self, stack: Stack) -> list[str]:
        """What is still there of a deleted stack, as it was before, and of what services made beside it."""

    def call(self, request: Request) -> Answer:
        """Call the API. Raises CloudFailed where no HTTP answer comes."""

    def now(self) -> float:
        """Seconds since 1970."""

    def pause(self, seconds: float) -> None:
        """Wait."""
