"""The three kinds of integration that the stack uses: mock, Lambda proxy, SageMaker (kind `aws`)."""

import json
import re
from collections.abc import Mapping
from typing import Any

from local.backends.protocols import ENDPOINT_HEADERS, MAX_LAMBDA_BYTES, Endpoints, FunctionFailed, Functions
from local.gateway.guard import check_function, denied_endpoint
from local.gateway.mappings import render
from local.gateway.messages import Incoming, Outcome, Refusal, all_values, last_values
from local.gateway.permissions import Permissions
from local.gateway.snapshot import IntegrationResponse, Route

FUNCTION_URI = re.compile(r"arn:[\w-]+:apigateway:[\w-]+:lambda:path/2015-03-31/functions/(.+)/invocations")
ENDPOINT_URI = re.compile(
    r"arn:[\w-]+:apigateway:[\w-]+:runtime\.sagemaker:path//?endpoints/(.+)/invocations"
)
REMAPPED_HEADERS = {
    # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
    name: f"x-amzn-Remapped-{name}"
    for name in ("authorization", "connection", "content-length", "content-md5", "date", "host", "server")
}
BAD_GATEWAY = "Internal server error"


class Integrations:
    """Answers requests on routes, calling the backends it was given.

    Without `permissions` every call is allowed. With them, a call that AWS would not allow is answered as API
    Gateway does: by a 500, whose reason only its execution log names.
    """

    def __init__(
        self, functions: Functions, endpoints: Endpoints, permissions: Permissions | None = None
    ) -> None:
        self._functions = functions
        self._endpoints = endpoints
        self._permissions = permissions

    async def call(self, incoming: Incoming, route: Route, names: Mapping[str, str]) -> Outcome:
        """Answer one request. Raises Refusal where API Gateway itself answers."""
        if route.integration.kind == "mock":
            return _mock(incoming, route)
        if route.integration.kind == "aws_proxy":
            return await self._function(incoming, route, names)
        return await self._endpoint(incoming, route)

    async def _function(self, incoming: Incoming, route: Route, names: Mapping[str, str]) -> Outcome:
        match = FUNCTION_URI.fullmatch(_with_stage_variables(route.integration.uri, incoming))
        if match is None:
            raise Refusal("API_CONFIGURATION_ERROR", BAD_GATEWAY)
        if self._permissions:
            check_function(self._permissions, match[1], incoming.stage, route)
        payload = json.dumps(proxy_event(incoming, route, names)).encode()
        if len(payload) > MAX_LAMBDA_BYTES:
            raise Refusal("REQUEST_TOO_LARGE", "Request Too Long")
        try:
            answer = json.loads(await self._functions.invoke(match[1], payload))
            return _proxy_answer(answer)
        except (FunctionFailed, KeyError, TypeError, ValueError) as error:
            raise Refusal("DEFAULT_5XX", BAD_GATEWAY) from error

    async def _endpoint(self, incoming: Incoming, route: Route) -> Outcome:
        match = ENDPOINT_URI.fullmatch(_with_stage_variables(route.integration.uri, incoming))
        if match is None:
            raise Refusal("API_CONFIGURATION_ERROR", BAD_GATEWAY)
        headers = {"Content-Type": "application/json"} | {
            target.removeprefix("integration.request.header."): value
            for target, source in route.integration.request_parameters.items()
            if (value := _request_value(source, incoming, route)) is not None
        }
        passed = {name: headers[name] for name in ENDPOINT_HEADERS if name in headers}
        body = _request_body(incoming, route)
        answer = None
        if self._permissions:
            answer = denied_endpoint(self._permissions, route.integration.credentials, match[1])
        answer = answer or await self._endpoints.invoke(match[1], passed, body)
        response = _response_for(route, answer.status)
        text = answer.body.decode("utf-8", "replace")
        return _mapped(incoming, route, response, text, answer.headers)


def proxy_event(incoming: Incoming, route: Route, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the event of a Lambda proxy integration (payload format 1.0)."""
    return {
        "resource": route.path,
        "path": incoming.path,
        "httpMethod": incoming.method,
        "headers": last_values(incoming.headers),
        "multiValueHeaders": all_values(incoming.headers),
        "queryStringParameters": last_values(incoming.query) or None,
        "multiValueQueryStringParameters": all_values(incoming.query) or None,
        "pathParameters": dict(names) or None,
        "stageVariables": dict(incoming.stage.variables) or None,
        "requestContext": incoming.context(route),
        "body": incoming.body.decode("utf-8", "replace") or None,
        "isBase64Encoded": False,  # the API declares no binary media types: every body is text
    }


def _proxy_answer(answer: Any) -> Outcome:  # noqa: ANN401 - whatever JSON the function returned
    """Read a proxy response. Raises TypeError, ValueError or KeyError on a malformed one."""
    if not isinstance(answer, dict) or not isinstance(answer.get("body", ""), str | None):
        raise TypeError("Malformed Lambda proxy response")
    pairs = [(name, _text(value)) for name, value in (answer.get("headers") or {}).items()]
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        pairs = [pair for pair in pairs if pair[0].lower() != name.lower()]
        pairs += [(name, _text(value)) for value in values]
    headers = [(REMAPPED_HEADERS.get(name.lower(), name), value) for name, value in pairs]
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    return Outcome(int(answer["statusCode"]), headers, (answer.get("body") or "").encode())


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _mock(incoming: Incoming, route: Route) -> Outcome:
    body = _request_body(incoming, route).decode("utf-8", "replace")
    try:
        status = int(json.loads(body)["statusCode"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refusal("API_CONFIGURATION_ERROR", BAD_GATEWAY) from error
    return _mapped(incoming, route, _response_for(route, status), "", {})


def _request_body(incoming: Incoming, route: Route) -> bytes:
    """Return the body for the integration: mapped by the template of its type, or passed through."""
    templates = route.integration.request_templates
    media_type = (incoming.header("content-type") or "application/json").split(";")[0].strip().lower()
    if media_type in templates:
        text = incoming.body.decode("utf-8", "replace")
        return render(templates[media_type], text, incoming, route).text.encode()
    return incoming.body


def _response_for(route: Route, status: int) -> IntegrationResponse:
    responses = route.integration.responses
    matching = [p for p in responses if p != "default" and re.fullmatch(p, str(status))]
    if not matching and "default" not in responses:
        raise Refusal("API_CONFIGURATION_ERROR", BAD_GATEWAY)
    return responses[matching[0] if matching else "default"]


def _mapped(
    incoming: Incoming,
    route: Route,
    response: IntegrationResponse,
    payload: str,
    answer_headers: Mapping[str, str],
) -> Outcome:
    """Apply an integration response's template and header mappings."""
    lower = {name.lower(): value for name, value in answer_headers.items()}
    accepted = incoming.header("accept") or "application/json"
    media_type = accepted if accepted in response.templates else next(iter(response.templates), None)
    status, body, values = response.status, payload, dict[str, str]()
    values["Content-Type"] = media_type or lower.get("content-type", "application/json")
    for target, source in response.parameters.items():
        value = _response_value(source, lower, incoming, route)
        if value is not None:
            values[target.removeprefix("method.response.header.")] = value
    if media_type is not None:
        rendered = render(response.templates[media_type], payload, incoming, route)
        status, body = rendered.status or status, rendered.text
        values |= rendered.headers
    return Outcome(status, list(values.items()), body.encode())


def _with_stage_variables(text: str, incoming: Incoming) -> str:
    return re.sub(
        r"\$\{stageVariables\.(\w+)\}", lambda match: incoming.stage.variables.get(match[1], ""), text
    )


def _request_value(source: str, incoming: Incoming, route: Route) -> str | None:
    if source.startswith("method.request.header."):
        return incoming.header(source.removeprefix("method.request.header."))
    return _common_value(source, incoming, route)


def _response_value(source: str, headers: Mapping[str, str], incoming: Incoming, route: Route) -> str | None:
    if source.startswith("integration.response.header."):
        return headers.get(source.removeprefix("integration.response.header.").lower())
    return _common_value(source, incoming, route)


def _common_value(source: str, incoming: Incoming, route: Route) -> str | None:
    """The value of a mapping source that both directions know; Refusal for any other."""
    if source.startswith("'"):
        return source[1:-1]
    scope, _, name = source.partition(".")
    context = incoming.context(route)
    if scope != "context" or name not in context:
        raise Refusal("API_CONFIGURATION_ERROR", BAD_GATEWAY)
    return str(context[name])
