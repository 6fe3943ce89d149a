"""The API's OpenAPI document, built from openapi.yaml."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
EXAMPLE = "$example"
FEATURE = "x-feature"
"""Marks what a stack has only with the feature of that name: paths, tags, components."""
CATALOGUE = "catalogue"
FEATURES = (CATALOGUE,)


def document(features: Collection[str] = ()) -> dict[str, Any]:
    """The document of a stack with these features.

    Pictures and vectors, which openapi.yaml names by their files, are put in.

    Args:
        features: of FEATURES; what is marked with another one is left out.

    Raises:
        FileNotFoundError, KeyError: openapi.yaml names a file, or a field of one, that is not there.
    """
    source = yaml.safe_load((HERE / "openapi.yaml").read_text("utf-8"))
    whole: dict[str, Any] = _filled(_with(features, source))
    return whole


def _with(features: Collection[str], node: Any) -> Any:  # noqa: ANN401 - any JSON
    """The node without all that is marked with a feature that is not among these, and without the marks."""

    def kept(child: Any) -> bool:  # noqa: ANN401
        return not isinstance(child, dict) or child.get(FEATURE) in {None, *features}

    if isinstance(node, list):
        return [_with(features, child) for child in node if kept(child)]
    if isinstance(node, dict):
        return {
            name: _with(features, child) for name, child in node.items() if name != FEATURE and kept(child)
        }
    return node


def _filled(node: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(node, list):
        return [_filled(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.keys() == {EXAMPLE}:
        file, _, field = node[EXAMPLE].partition("#/")
        return json.loads((HERE / file).read_text("utf-8"))[field]
    return {name: _filled(value) for name, value in node.items()}
