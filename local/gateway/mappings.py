"""Mapping templates (VTL, by airspeed) and the simple substitution of gateway responses.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

import airspeed

from local.gateway.messages import Incoming, Refusal, last_values
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
    """$input: the payload that the template maps, and the request's parameters."""

    def __init__(self, text: str, incoming: Incoming) -> None:
        self._text = text
        self._incoming = incoming

    def params(self, name: str) -> str:
        """A parameter of the query or a header, its name as the client spelled it; empty where there is none.

        AWS looks at the path's parameters first, which no template of ours uses.
        """
        values = last_values([*self._incoming.headers, *self._incoming.query])
        return values.get(name, "")

    def path(self, expression: str) -> Json:
        if expression != "$":
            raise ValueError(f"$input.path('{expression}') is not known here, only $input.path('$').")
        try:
            return json.loads(self._text)
        except ValueError:
            return self._text


def render(template: str, payload: str, incoming: Incoming, route: Route) -> Rendered:
    """Render a VTL mapping template over a payload. Refusal (500) if it is not valid VTL."""
    headers: dict[str, Json] = {}
    override: dict[str, Json] = {"header": headers}
    names = {
        "context": {**incoming.context(route), "responseOverride": override},
        "input": _Input(payload, incoming),
    }
    # Velocity allows hyphens in names, airspeed does not: they are restored below.
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


def substitute(template: str, context: Mapping[str, Json]) -> str:
    """Fill a gateway response's template: no VTL, only $context.error.messageString and its kin."""

    def replace(match: re.Match[str]) -> str:
        value: Json = context
        for key in match[1].split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return "" if value is None else str(value)

    return re.sub(r"\$context\.(\w+(?:\.\w+)*)", replace, template)
