"""What a cloud says: the stack, an answer of its API, what its services describe."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Any


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


@dataclass(frozen=True)
class VectorIndex:
    """An index of S3 Vectors: its bucket's name, the length of its vectors, how they are compared."""

    bucket: str
    dimension: int
    metric: str
