"""Reads a resolved OpenAPI body as API Gateway's PutRestApi reads it.

As strictly too where a mistake would only show on AWS: a mapping from or to something that the method does
not declare is refused. Source:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from local.gateway.snapshot import (
    Authorization,
    GatewayResponse,
    Integration,
    IntegrationResponse,
    LiveStage,
    Route,
    Snapshot,
)
from local.template.intrinsics import Json, ResolveError
from local.template.resolve import ResolvedStack

ANY_METHOD: Final = "x-amazon-apigateway-any-method"
METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", ANY_METHOD)
DEFAULT_TIMEOUT_SECONDS: Final = 29.0
KINDS: Final[dict[str, Literal["mock", "aws", "aws_proxy"]]] = {
    "mock": "mock",
    "aws": "aws",
    "aws_proxy": "aws_proxy",
}


def live_stage(stack: ResolvedStack) -> LiveStage:
    """Return the stage of a resolved stack. ResolveError unless just one Deployment is live and staged."""
    api = stack.one("AWS::ApiGateway::RestApi")
    stack.one("AWS::ApiGateway::Deployment")
    stage = stack.one("AWS::ApiGateway::Stage")
    return LiveStage(
        api_id=str(stage.properties["RestApiId"]),
        name=str(stage.properties["StageName"]),
        variables={name: str(value) for name, value in stage.properties.get("Variables", {}).items()},
        snapshot=snapshot_of(api.properties),
    )


def snapshot_of(api: Mapping[str, Json]) -> Snapshot:
    """Freeze the resolved properties of an AWS::ApiGateway::RestApi. Raises ResolveError."""
    body = api["Body"]
    routes = tuple(_routes(body))
    if not routes:
        raise ResolveError("The REST API doesn't contain any methods: it can't be deployed.")
    responses = body.get("x-amazon-apigateway-gateway-responses", {})
    minimum = api.get("MinimumCompressionSize")
    return Snapshot(
        routes,
        {name: _gateway_response(value) for name, value in responses.items()},
        None if minimum is None else int(minimum),
    )


def _routes(body: Mapping[str, Json]) -> Iterator[Route]:
    schemes = body.get("components", {}).get("securitySchemes", {})
    for path, item in body.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            label = f"{method.upper()} {path}"
            name = "ANY" if method == ANY_METHOD else method.upper()
            if "x-amazon-apigateway-integration" not in operation:
                raise ResolveError(f"{label}: no integration; the API can't be deployed.")
            _check_mappings(label, item, operation)
            integration = _integration(operation["x-amazon-apigateway-integration"])
            authorization = _authorization(label, operation, body, schemes)
            yield Route(name, path, authorization, integration, _required_headers(operation, body))


def _required_headers(operation: Mapping[str, Json], body: Mapping[str, Json]) -> frozenset[str]:
    """Headers that the operation's request validator insists on; without a validator none."""
    key = "x-amazon-apigateway-request-validator"
    name = operation.get(key, body.get(key))
    validators = body.get(f"{key}s", {})
    if name is None or not validators[name].get("validateRequestParameters"):
        return frozenset()
    parameters = operation.get("parameters", [])
    return frozenset(p["name"] for p in parameters if p["in"] == "header" and p.get("required"))


def _authorization(
    label: str, operation: Mapping[str, Json], body: Mapping[str, Json], schemes: Mapping[str, Json]
) -> Authorization:
    explicit = operation.get("x-amazon-apigateway-auth", {}).get("type")
    if explicit is not None:
        if explicit.upper() not in ("NONE", "AWS_IAM"):
            raise ResolveError(f"{label}: authorization {explicit} is not known here.")
        return "AWS_IAM" if explicit.upper() == "AWS_IAM" else "NONE"
    names = [name for choice in operation.get("security", body.get("security", [])) for name in choice]
    for name in names:
        if schemes.get(name, {}).get("x-amazon-apigateway-authtype") != "awsSigv4":
            raise ResolveError(
                f"{label}: security scheme {name} is not awsSigv4; API Gateway would ignore it."
            )
    return "AWS_IAM" if names else "NONE"


def _integration(definition: Mapping[str, Json]) -> Integration:
    kind = str(definition["type"]).lower()
    if kind not in KINDS:
        raise ResolveError(f"Integration type {kind} is not known here.")
    milliseconds = definition.get("timeoutInMillis")
    return Integration(
        kind=KINDS[kind],
        uri=str(definition.get("uri", "")),
        timeout_seconds=DEFAULT_TIMEOUT_SECONDS if milliseconds is None else int(milliseconds) / 1000,
        request_parameters=definition.get("requestParameters", {}),
        request_templates=definition.get("requestTemplates", {}),
        credentials=str(definition.get("credentials", "")),
        passthrough=str(definition.get("passthroughBehavior", "when_no_match")).lower(),
        responses={
            pattern: IntegrationResponse(
                int(response["statusCode"]),
                response.get("responseParameters", {}),
                response.get("responseTemplates", {}),
            )
            for pattern, response in definition.get("responses", {}).items()
        },
    )


def _gateway_response(definition: Mapping[str, Json]) -> GatewayResponse:
    status = definition.get("statusCode")
    return GatewayResponse(
        None if status is None else int(status),
        definition.get("responseParameters", {}),
        definition.get("responseTemplates", {}),
    )


def _check_mappings(label: str, item: Mapping[str, Json], operation: Mapping[str, Json]) -> None:
    """Refuse what PutRestApi refuses: mappings to or from what the method does not declare."""
    integration = operation["x-amazon-apigateway-integration"]
    places = {"query": "querystring"}
    declared = {
        f"method.request.{places.get(parameter['in'], parameter['in'])}.{parameter['name']}"
        for parameter in [*item.get("parameters", []), *operation.get("parameters", [])]
    }
    for source in integration.get("requestParameters", {}).values():
        if source.startswith("method.request.") and source not in declared:
            raise ResolveError(f"{label}: {source} is mapped, but the operation does not declare it.")
    statuses = operation.get("responses", {})
    for response in integration.get("responses", {}).values():
        status = str(response["statusCode"])
        if status not in statuses:
            raise ResolveError(f"{label}: status {status} is mapped, but the operation does not declare it.")
        for target in response.get("responseParameters", {}):
            name = target.removeprefix("method.response.header.")
            if name not in statuses[status].get("headers", {}):
                raise ResolveError(f"{label}: header {name} of {status} is mapped, but not declared.")
