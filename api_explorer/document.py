"""The API's OpenAPI document, built from openapi.yaml."""

import json
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
EXAMPLE = "$example"


def document() -> dict[str, Any]:
    """The whole document: pictures and vectors, which openapi.yaml names by their files, are put in.

    Raises:
        FileNotFoundError, KeyError: openapi.yaml names a file, or a field of one, that is not there.
    """
    whole: dict[str, Any] = _filled(yaml.safe_load((HERE / "openapi.yaml").read_text("utf-8")))
    return whole


def _filled(node: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        return [_filled(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {EXAMPLE}:
        file, _, field = node[EXAMPLE].partition("#/")
        return json.loads((HERE / file).read_text("utf-8"))[field]
    return {name: _filled(value) for name, value in node.items()}
