"""What the checks need of a cloud: one stack in an account, its API, and what the services describe.

`verify.aws` is an account behind boto3. Whatever else has these methods can be verified as well.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from verify.facts import (
    Alarm,
    Answer,
    Endpoint,
    Function,
    Json,
    LogGroup,
    Metric,
    Model,
    Outcome,
    Request,
    Scaling,
    Stack,
    StageSettings,
    VectorIndex,
)

Meanwhile = Callable[[], None]


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

    def vector_index(self, arn: str) -> VectorIndex:
        """An index of S3 Vectors."""

    def concurrency(self, mapping: str) -> int | None:
        """How many invocations an event source mapping has under way at most; None for no limit."""

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
