"""Mapping templates (VTL, by airspeed) and the simple substitution of gateway responses.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import base64
import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

import airspeed

from local.gateway.messages import Incoming, Refusal
from local.gateway.snapshot import Route
from local.template.intrinsics import Json

OVERRIDDEN_HEADER = re.compile(r"\$context\.responseOverride\.header\.[\w-]+")
HYPHEN = "__hyphen__"

logger = logging.getLogger("local.gateway.mappings")


@dataclass(frozen=True)
class Rendered:
    """A template's text, and the status and headers that it set in $context.responseOverride."""

    text: str
    status: int | None
    headers: Mapping[str, str]


class _Input:
    """$input: the payload that the template maps."""

    def __init__(self, text: str, incoming: Incoming) -> None:
        self.body = text
        self._incoming = incoming

    def path(self, expression: str) -> Json:
        value = _parse(self.body)
        for key in re.findall(r"\.([\w-]+)|\[(\d+)\]|\['([^']+)'\]", expression):
            value = _step(value, *key)
        return value

    def json(self, expression: str) -> str:
        return json.dumps(self.path(expression))

    def params(self, name: str) -> str:
        return self._incoming.header(name) or dict(self._incoming.query).get(name, "")


class _Util:
    """$util."""

    def escapeJavaScript(self, text: Json) -> str:  # noqa: N802 - API Gateway's name
        return json.dumps("" if text is None else str(text))[1:-1].replace("'", "\\'")

    def parseJson(self, text: str) -> Json:  # noqa: N802 - API Gateway's name
        return _parse(text)

    def urlEncode(self, text: str) -> str:  # noqa: N802 - API Gateway's name
        return quote(text, safe="")

    def urlDecode(self, text: str) -> str:  # noqa: N802 - API Gateway's name
        return unquote(text)

    def base64Encode(self, text: str) -> str:  # noqa: N802 - API Gateway's name
        return base64.b64encode(text.encode()).decode()

    def base64Decode(self, text: str) -> str:  # noqa: N802 - API Gateway's name
        return base64.b64decode(text).decode()


def render(template: str, payload: str, incoming: Incoming, route: Route) -> Rendered:
    """Render a VTL mapping template over a payload. Refusal (500) for a template that is no VTL."""
    headers: dict[str, Json] = {}
    override: dict[str, Json] = {"header": headers}
    names = {
        "context": {**incoming.context(route), "responseOverride": override},
        "input": _Input(payload, incoming),
        "stageVariables": dict(incoming.stage.variables),
        "util": _Util(),
    }
    # Velocity allows hyphens in names, airspeed does not: they come back below.
    plain = OVERRIDDEN_HEADER.sub(lambda match: match[0].replace("-", HYPHEN), template)
    try:
        text = airspeed.Template(plain).merge(names)
    except airspeed.TemplateError as error:
        logger.error("A mapping template of %s %s fails: %s", route.method, route.path, error)  # noqa: TRY400
        raise Refusal("API_CONFIGURATION_ERROR", "Internal server error") from error
    status = override.get("status")
    return Rendered(
        text,
        None if status is None else int(status),
        {name.replace(HYPHEN, "-"): str(value) for name, value in headers.items()},
    )


def substitute(template: str, variables: Mapping[str, Json]) -> str:
    """Fill a gateway response's template, which knows variables and nothing of VTL.

    `$context.error.messageString` and its kin are looked up in `variables` ("context", "stageVariables").
    """

    def replace(match: re.Match[str]) -> str:
        value: Json = variables
        for key in match[1].split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)

    return re.sub(r"\$((?:context|stageVariables)(?:\.\w+)+)", replace, template)


def _parse(text: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _step(value: Json, name: str, index: str, quoted: str) -> Json:
    if index:
        return value[int(index)] if isinstance(value, list) and int(index) < len(value) else None
    return value.get(name or quoted) if isinstance(value, Mapping) else None
