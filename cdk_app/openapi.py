"""What the infrastructure takes from the API's OpenAPI document: routes, and the words of its errors."""

import json
from typing import Any

Json = dict[str, Any]
ANY_ORIGIN = "'*'"
RETRY_AFTER_SECONDS = "1"


def error(source: Json, response: str) -> Json:
    """Code and message of a response of the document, from its first example."""
    content = source["components"]["responses"][response]["content"]["application/json"]
    value: Json = next(iter(content["examples"].values()))["value"]
    return {"code": value["code"], "message": value["message"]}


def error_template(source: Json, response: str) -> str:
    """The contract's error body as a template that both VTL and gateway responses fill."""
    told = {**error(source, response), "requestId": "$context.requestId"}
    return json.dumps(told, separators=(",", ":"))
