"""Reads a resolved OpenAPI body as API Gateway's PutRestApi reads it.

As strictly too where a mistake would only show on AWS: a mapping from or to something that the method does
not declare is refused. So is what API Gateway knows and this module does not. Source:
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

METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
INTEGRATION: Final = "x-amazon-apigateway-integration"
VALIDATOR: Final = "x-amazon-apigateway-request-validator"
VALIDATORS: Final = "x-amazon-apigateway-request-validators"
GATEWAY_RESPONSES: Final = "x-amazon-apigateway-gateway-responses"
INTEGRATION_KEYS: Final = {
    "credentials",
    "httpMethod",
    "requestParameters",
    "requestTemplates",
    "responses",
    "timeoutInMillis",
    "type",
    "uri",
}
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
    responses = body.get(GATEWAY_RESPONSES, {})
    minimum = api.get("MinimumCompressionSize")
    return Snapshot(
        routes,
        {name: _gateway_response(name, value) for name, value in responses.items()},
        None if minimum is None else int(minimum),
    )


def _routes(body: Mapping[str, Json]) -> Iterator[Route]:
    _check_extensions("the document", body, {GATEWAY_RESPONSES, VALIDATORS})
    schemes = body.get("components", {}).get("securitySchemes", {})
    for path, item in body.get("paths", {}).items():
        _check_extensions(path, item, set())
        for method in METHODS:
            if method not in item:
                continue
            operation = item[method]
            label = f"{method.upper()} {path}"
            _check_extensions(label, operation, {INTEGRATION, VALIDATOR})
            if INTEGRATION not in operation:
                raise ResolveError(f"{label}: no integration; the API can't be deployed.")
            _check_mappings(label, item, operation)
            integration = _integration(label, operation[INTEGRATION])
            authorization = _authorization(label, operation, body, schemes)
            yield Route(method.upper(), path, authorization, integration, _required_headers(operation, body))


def _required_headers(operation: Mapping[str, Json], body: Mapping[str, Json]) -> frozenset[str]:
    """Headers that the operation's request validator insists on; without a validator none."""
    name = operation.get(VALIDATOR)
    if name is None or not body[VALIDATORS][name].get("validateRequestParameters"):
        return frozenset()
    parameters = operation.get("parameters", [])
    return frozenset(p["name"] for p in parameters if p["in"] == "header" and p.get("required"))


def _authorization(
    label: str, operation: Mapping[str, Json], body: Mapping[str, Json], schemes: Mapping[str, Json]
) -> Authorization:
    names = [name for choice in operation.get("security", body.get("security", [])) for name in choice]
    for name in names:
        if schemes.get(name, {}).get("x-amazon-apigateway-authtype") != "awsSigv4":
            raise ResolveError(
                f"{label}: security scheme {name} is not awsSigv4; API Gateway would ignore it."
            )
    return "AWS_IAM" if names else "NONE"


def _integration(label: str, definition: Mapping[str, Json]) -> Integration:
    unknown = sorted(definition.keys() - INTEGRATION_KEYS)
    if unknown:
        raise ResolveError(f"{label}: {', '.join(unknown)} of an integration is not known here.")
    kind = str(definition["type"]).lower()
    if kind not in KINDS:
        raise ResolveError(f"{label}: integration type {kind} is not known here.")
    milliseconds = definition.get("timeoutInMillis")
    return Integration(
        kind=KINDS[kind],
        uri=str(definition.get("uri", "")),
        timeout_seconds=DEFAULT_TIMEOUT_SECONDS if milliseconds is None else int(milliseconds) / 1000,
        request_parameters=definition.get("requestParameters", {}),
        request_templates=definition.get("requestTemplates", {}),
        credentials=str(definition.get("credentials", "")),
        responses={
            pattern: IntegrationResponse(
                int(response["statusCode"]),
                response.get("responseParameters", {}),
                response.get("responseTemplates", {}),
            )
            for pattern, response in definition.get("responses", {}).items()
        },
    )


def _gateway_response(name: str, definition: Mapping[str, Json]) -> GatewayResponse:
    status = definition.get("statusCode")
    parameters = definition.get("responseParameters", {})
    for source in parameters.values():
        if not source.startswith("'"):
            raise ResolveError(f"{name}: {source} in a gateway response is not known here, only 'text'.")
    return GatewayResponse(
        None if status is None else int(status),
        {
            target.removeprefix("gatewayresponse.header."): source[1:-1]
            for target, source in parameters.items()
        },
        definition.get("responseTemplates", {}),
    )


def _check_extensions(label: str, node: Mapping[str, Json], known: set[str]) -> None:
    """Refuse an extension of API Gateway's that would change what is served, and is not read here."""
    for name in node:
        if name.startswith("x-amazon-apigateway-") and name not in known:
            raise ResolveError(f"{label}: {name} is not known here.")


def _check_mappings(label: str, item: Mapping[str, Json], operation: Mapping[str, Json]) -> None:
    """Refuse what PutRestApi refuses: mappings to or from what the method does not declare."""
    integration = operation[INTEGRATION]
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
