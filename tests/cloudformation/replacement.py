"""Which changes CloudFormation makes by a new resource: those of create-only properties.

Read from the resource providers' own schemas, which cfn-lint ships.
"""

from collections.abc import Mapping
from functools import cache

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.template.intrinsics import Json

SCHEMA_REGION = "us-east-1"  # the region whose schemas cfn-lint holds in full; they are the same elsewhere


def needs_replacement(kind: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> bool:
    """Whether a resource of this type must be replaced to change from one set of properties to another."""
    return any(_at(path, before) != _at(path, after) for path in _create_only(kind))


@cache
def _create_only(kind: str) -> tuple[tuple[str, ...], ...]:
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(SCHEMA_REGION, kind).schema
    paths = [path.removeprefix("/properties/").split("/") for path in schema.get("createOnlyProperties", [])]
    return tuple(tuple(path) for path in paths)


def _at(path: tuple[str, ...], properties: Mapping[str, Json]) -> Json:
    value: Json = properties
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
