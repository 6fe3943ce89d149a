"""Which resource types a region knows: CloudFormation refuses a template that names another one.

It does so before anything else and whatever the resource's condition says: "Template format error:
Unrecognized resource types". Read from cfn-lint's provider schemas.
"""

from collections.abc import Mapping

from cfnlint.helpers import REGIONS
from cfnlint.schema import ResourceNotFoundError
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from local.template.intrinsics import Json


def unrecognized(template: Mapping[str, Json], region: str) -> list[str]:
    """The types of the template that the region has not. Raises ValueError for a region that is not known."""
    if region not in REGIONS:
        raise ValueError(f"{region} is none of cfn-lint's regions")
    types = {resource["Type"] for resource in template.get("Resources", {}).values()}
    return sorted(kind for kind in types if not _has(region, kind))


def _has(region: str, kind: str) -> bool:
    try:
        PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind)
    except ResourceNotFoundError:
        return False
    return True
