"""Requests, answers and refusals inside the local gateway."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from local.gateway.snapshot import LiveStage, Route
from local.template.intrinsics import Json

ACCOUNT, CALLER = "123456789012", "AIDACKCEVSQ6C2EXAMPLE"
STATUS_OF_TYPE = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
    "ACCESS_DENIED": 403,
    "API_CONFIGURATION_ERROR": 500,
    "BAD_REQUEST_PARAMETERS": 400,
    "DEFAULT_4XX": 400,
    "DEFAULT_5XX": 502,
    "EXPIRED_TOKEN": 403,
    "INTEGRATION_FAILURE": 504,
    "INTEGRATION_TIMEOUT": 504,
    "INVALID_SIGNATURE": 403,
    "MISSING_AUTHENTICATION_TOKEN": 403,
    "REQUEST_TOO_LARGE": 413,
    "THROTTLED": 429,
    "UNSUPPORTED_MEDIA_TYPE": 415,
}


class Refusal(Exception):
    """An answer that API Gateway itself makes, shaped by the gateway response of its type."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.status = STATUS_OF_TYPE[kind]


@dataclass(frozen=True)
class Incoming:
    """A request on a stage; the body is what the client sent, after Content-Encoding."""

    stage: LiveStage
    method: str
    path: str  # under the stage, percent-encoded, with a leading slash
    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]]  # in the client's spelling and order
    body: bytes
    source_address: str
    signed_by: str | None = None  # the access key, where the route wants a signature
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: float = field(default_factory=time.time)

    def header(self, name: str) -> str | None:
        """Last value of a header, any case."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[-1] if values else None

    def context(self, route: Route | None) -> dict[str, Json]:
        """The variables of $context, which are also the event's requestContext."""
        moment = datetime.fromtimestamp(self.started, UTC)
        return {
            "accountId": ACCOUNT,
            "apiId": self.stage.api_id,
            "domainName": self.header("host") or "",
            "extendedRequestId": self.request_id,
            "httpMethod": self.method,
            "identity": self._identity(),
            "path": f"/{self.stage.name}{self.path}",
            "protocol": "HTTP/1.1",
            "requestId": self.request_id,
            "requestTime": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
            "requestTimeEpoch": int(self.started * 1000),
            "resourcePath": route.path if route else None,
            "stage": self.stage.name,
        }

    def _identity(self) -> dict[str, Json]:
        """Who calls: nobody is named on a route that wants no signature, even if there is one.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
        """
        signed = self.signed_by is not None
        return {
            "accessKey": self.signed_by,
            "accountId": ACCOUNT if signed else None,
            "caller": CALLER if signed else None,
            "sourceIp": self.source_address,
            "user": CALLER if signed else None,
            "userAgent": self.header("user-agent"),
            "userArn": f"arn:aws:iam::{ACCOUNT}:user/local" if signed else None,
        }


@dataclass(frozen=True)
class Outcome:
    """An answer on its way to the client; a header may come more than once."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes


def last_values(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Last value of each name, as a proxy event's single-value maps hold it."""
    return dict(pairs)


def all_values(pairs: Sequence[tuple[str, str]]) -> Mapping[str, list[str]]:
    """Every value of each name."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values
