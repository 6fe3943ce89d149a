"""What an API Gateway deployment freezes: routes, authorization, integrations, gateway responses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

Authorization = Literal["NONE", "AWS_IAM"]


@dataclass(frozen=True)
class IntegrationResponse:
    """How an answer of the integration becomes an answer of the method."""

    status: int
    parameters: Mapping[str, str] = field(default_factory=dict)
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Integration:
    """Where a method's request goes."""

    kind: Literal["mock", "aws", "aws_proxy"]
    uri: str
    timeout_seconds: float
    request_parameters: Mapping[str, str]
    request_templates: Mapping[str, str]
    credentials: str  # ARN of the role that API Gateway assumes for the call, or nothing
    responses: Mapping[str, IntegrationResponse]  # regular expression of the backend's status, or "default"


@dataclass(frozen=True)
class Route:
    """One method on one resource."""

    method: str  # upper case
    path: str  # as in the document, with {names}
    authorization: Authorization
    integration: Integration
    required_headers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class GatewayResponse:
    """Shape of an answer that API Gateway makes by itself; status None keeps the type's own."""

    status: int | None
    headers: Mapping[str, str]
    templates: Mapping[str, str]


@dataclass(frozen=True)
class Snapshot:
    """An immutable deployment."""

    routes: tuple[Route, ...]
    gateway_responses: Mapping[str, GatewayResponse]
    minimum_compression_bytes: int | None

    def route(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route for a request and its path parameters; a literal segment beats a parameter."""
        matches: list[tuple[tuple[bool, ...], Route, dict[str, str]]] = []
        for route in self.routes:
            names = _match(route.path, path)
            if names is not None and route.method == method:
                rank = tuple("{" in segment for segment in route.path.split("/"))
                matches.append((rank, route, names))
        if not matches:
            return None
        _, route, names = min(matches, key=lambda item: item[0])
        return route, names


@dataclass(frozen=True)
class LiveStage:
    """A stage and the snapshot that it serves."""

    api_id: str
    name: str
    variables: Mapping[str, str]
    snapshot: Snapshot


def _match(pattern: str, path: str) -> dict[str, str] | None:
    """Return the path parameters, None where the path is another one."""
    expected = pattern.strip("/").split("/")
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    names: dict[str, str] = {}
    if len(segments) != len(expected):
        return None
    for name, value in zip(expected, segments, strict=True):
        if name.startswith("{") and value:
            names[name.strip("{}")] = value
        elif name != value:
            return None
    return names
