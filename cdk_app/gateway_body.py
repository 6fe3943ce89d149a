"""The OpenAPI body that API Gateway imports: routes, security, integrations and gateway responses.

Routes and messages come from api_explorer/openapi.yaml; its schemas and examples stay there, so that the
template remains small. Nothing here may depend on a parameter that is no axis of the deployments (see
docs/adr): a Deployment is a snapshot, and only the axes make a new one.
Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from api_explorer.document import CATALOGUE, document
from cdk_app.conditions import Conditions, pick
from cdk_app.gateway_responses import gateway_responses
from cdk_app.openapi import ANY_ORIGIN, Json

FEATURE_TAG, CATALOGUE_TAG = "Image similarity", "Catalogue"
SIGNED: list[Json] = [{"sigv4": []}]
INTEGRATION = "x-amazon-apigateway-integration"
OPEN: list[Json] = []
EXPOSED = "'X-Request-Id, X-Model, Server-Timing, Retry-After'"
ERROR_HEADERS = ("Access-Control-Allow-Origin", "Access-Control-Expose-Headers", "X-Request-Id", "X-Model")
ANSWER_HEADERS = (*ERROR_HEADERS, "Server-Timing")
ANY_RESPONSE = {"200": {"description": ""}}  # a proxy integration's answer needs no declaration
ALLOWED_HEADERS = (
    *("Content-Type", "Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"),
    *("X-Amz-User-Agent", "amz-sdk-invocation-id", "amz-sdk-request", "X-Api-Key"),
)
"""What a preflight allows: the headers of JSON and SigV4, and those that AWS's browser SDKs add."""
# A browser opening a page accepts text/html by name; callers that accept JSON by name get it. In HTTP/2 the
# header's name is in lower case, and whether $input.params minds is not documented.
BROWSER_OR_NOT = """\
#set($accept = "$input.params('Accept') $input.params('accept')")
#if($accept.matches('(?is)(?!.*application/json).*text/html.*'))
{"statusCode": 302}
#else
{"statusCode": 200}
#end
"""
# From the path as the caller has it: with the stage, or the base path of a custom domain.
TO_THE_PAGE = """\
#set($base = $context.path.replaceAll('/+$', ''))
#set($context.responseOverride.header.Location = "$base/api-explorer")
"""


def build(
    conditions: Conditions,
    *,
    title: str,
    feature: Mapping[str, Json],
    explorer: Json,
    catalogue: Json | None = None,
) -> Json:
    """Build the body.

    Args:
        conditions: the stack's conditions; the body refers to those of the axes alone.
        title: the API's name.
        feature: backend (as `conditions.backends` names it) -> the integration of the feature's routes.
        explorer: the integration of the Explorer's routes.
        catalogue: the integration of the catalogue's routes; None where the template has none.

    Returns:
        OpenAPI 3.0 with API Gateway's extensions and CloudFormation's Fn::If.
    """
    source = document(() if catalogue is None else (CATALOGUE,))
    integrations = {"feature": feature, "explorer": explorer, "catalogue": catalogue}
    return {
        "openapi": "3.0.1",
        "info": {"title": title, "version": source["info"]["version"]},
        "paths": {
            path: _path(path, methods, conditions, integrations) for path, methods in source["paths"].items()
        },
        "components": {"securitySchemes": {"sigv4": _scheme(source)}},
        "x-amazon-apigateway-gateway-responses": gateway_responses(source, conditions),
    }


def _path(path: str, methods: Json, conditions: Conditions, integrations: Mapping[str, Any]) -> Json:
    """One path with its preflight; under the condition of what serves it."""
    (method, operation), *_ = methods.items()
    options = _preflight(method.upper())
    if FEATURE_TAG in operation["tags"]:
        return pick(
            conditions.is_on, {method: _feature(conditions, integrations["feature"]), "options": options}
        )
    if CATALOGUE_TAG in operation["tags"]:
        served = _catalogue(operation, conditions, integrations["catalogue"])
        return pick(conditions["IsCatalogueServing"], {method: served, "options": options})
    if path == "/":
        return {method: _service_name(operation, conditions), "options": options}
    served = _parameters(operation) | _proxied(integrations["explorer"], OPEN)
    return pick(conditions.has_explorer, {method: served, "options": options})


def _feature(conditions: Conditions, feature: Mapping[str, Json]) -> Json:
    """The feature's operation; it declares what the SageMaker integration maps (Lambda's maps nothing)."""
    # Not required: where a request has none, API Gateway sends SageMaker application/json.
    content_type = {"name": "Content-Type", "in": "header", "required": False, "schema": {"type": "string"}}
    integrations = [feature[backend] for backend in conditions.backends]
    first = conditions[f"Is{conditions.backends[0]}"]
    return {
        "parameters": [content_type],
        "responses": {
            "200": declared(ANSWER_HEADERS),
            "502": declared(ERROR_HEADERS),
            "503": declared((*ERROR_HEADERS, "Retry-After")),
        },
        "security": pick(conditions.is_signed, SIGNED, OPEN),
        INTEGRATION: integrations[0] if len(integrations) == 1 else pick(first, *integrations),
    }


def _catalogue(operation: Json, conditions: Conditions, integration: Json) -> Json:
    """An operation of the catalogue's; the document says which is signed whatever the others are."""
    always = operation["security"] == SIGNED
    return _proxied(integration, SIGNED if always else pick(conditions.is_signed, SIGNED, OPEN))


def _proxied(integration: Json, security: object) -> Json:
    """An operation that one function answers as a whole."""
    return {"responses": ANY_RESPONSE, "security": security, INTEGRATION: integration}


def _parameters(operation: Json) -> Json:
    """Path parameters, which API Gateway wants declared, without their examples."""
    kept = [
        {key: parameter[key] for key in ("name", "in", "required", "schema")}
        for parameter in operation.get("parameters", [])
    ]
    return {"parameters": kept} if kept else {}


def _service_name(operation: Json, conditions: Conditions) -> Json:
    """The permanent route: an API without methods can't be deployed. It sends browsers to the Explorer."""
    answer = json.dumps(operation["responses"]["200"]["content"]["application/json"]["example"])
    headers = {"Access-Control-Allow-Origin": ANY_ORIGIN}
    served = mock("200", headers, answer)
    served["responses"]["302"] = declared((*headers, "Location"))
    integration = served[INTEGRATION]
    always: str = integration["requestTemplates"]["application/json"]
    chosen = pick(conditions.has_explorer, BROWSER_OR_NOT, always)
    integration["requestTemplates"] = {"application/json": chosen}
    integration["responses"]["302"] = {
        "statusCode": "302",
        "responseParameters": mapped(headers),
        "responseTemplates": {"application/json": TO_THE_PAGE + answer},
    }
    return {"security": OPEN} | served


def _preflight(method: str) -> Json:
    """The answer to a browser's preflight (Fetch standard, CORS protocol), which is never signed."""
    headers = {
        "Access-Control-Allow-Origin": ANY_ORIGIN,
        "Access-Control-Allow-Methods": f"'{method},OPTIONS'",
        "Access-Control-Allow-Headers": f"'{','.join(ALLOWED_HEADERS)}'",
        "Access-Control-Max-Age": "'86400'",
    }
    return {"security": OPEN} | mock("204", headers)


def mock(status: str, headers: Mapping[str, str], body: str | None = None) -> Json:
    """An operation that API Gateway answers itself."""
    response: Json = {"statusCode": status, "responseParameters": mapped(headers)}
    if body is not None:
        response["responseTemplates"] = {"application/json": body}
    return {
        "responses": {status: declared(tuple(headers))},
        INTEGRATION: {
            "type": "mock",
            "requestTemplates": {"application/json": json.dumps({"statusCode": int(status)})},
            "responses": {"default": response},
        },
    }


def mapped(headers: Mapping[str, str]) -> dict[str, str]:
    """Header mappings of an integration response."""
    return {f"method.response.header.{name}": source for name, source in headers.items()}


def declared(headers: Sequence[str]) -> Json:
    """A method response that declares the headers, without which their mapping is refused."""
    return {"description": "", "headers": {name: {"schema": {"type": "string"}} for name in headers}}


def _scheme(source: Json) -> Json:
    scheme = source["components"]["securitySchemes"]["sigv4"]
    return {key: value for key, value in scheme.items() if key != "description"}
