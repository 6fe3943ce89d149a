"""What integrations call: functions by ARN, endpoints by name. The gateway knows only these protocols."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

MAX_LAMBDA_BYTES = 6_291_556  # what Lambda takes and gives in one synchronous invocation
ENDPOINT_HEADERS = ("Content-Type", "X-Amzn-SageMaker-Custom-Attributes")
"""The headers that SageMaker hands to a container, and back."""


@dataclass(frozen=True)
class EndpointAnswer:
    """The answer of SageMaker's InvokeEndpoint."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class FunctionFailed(Exception):
    """The function raised, timed out, crashed or did not answer with JSON."""


class Functions(Protocol):
    """Lambda's synchronous Invoke."""

    async def invoke(self, arn: str, payload: bytes) -> bytes:
        """Return the function's JSON answer. Raises FunctionFailed, KeyError for an unknown ARN."""


class Endpoints(Protocol):
    """SageMaker's InvokeEndpoint."""

    async def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        """Return the answer as the service gives it: errors of the container come as 424 ModelError."""
