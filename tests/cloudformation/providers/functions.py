"""Lambda: functions and the statements of their resource policies."""

from collections.abc import Mapping

from local.gateway.permissions import LAMBDA
from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, changed, tag_map
from tests.cloudformation.providers.policies import permissions

CODE = {"Code", "Architectures"}


class FunctionProvider:
    """AWS::Lambda::Function."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _check_role(cloud, properties)
        function = properties.get("FunctionName", name)
        answer = cloud.call(
            "lambda",
            "create_function",
            **{**properties, "FunctionName": function, "Tags": tag_map(properties)},
        )
        return Physical(function, function, {"Arn": answer["FunctionArn"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        names = changed(before, after)
        if names & CODE:
            code = {**after["Code"], "Architectures": after.get("Architectures", ["x86_64"])}
            cloud.call("lambda", "update_function_code", FunctionName=physical.name, **code)
        if "Role" in names:
            _check_role(cloud, after)
        if names - CODE:
            settings = {
                key: value for key, value in after.items() if key not in {*CODE, "PackageType", "Tags"}
            }
            cloud.call(
                "lambda", "update_function_configuration", **{**settings, "FunctionName": physical.name}
            )

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("lambda", "delete_function", FunctionName=physical.name)


def _check_role(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    """Refuse a role that Lambda can't assume: CreateFunction and UpdateFunctionConfiguration try it."""
    if "Role" in properties and not permissions(cloud).may_assume(LAMBDA, properties["Role"]):
        raise ProviderFailed("The role defined for the function cannot be assumed by Lambda.")


class PermissionProvider:
    """AWS::Lambda::Permission: every property is create-only."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        cloud.call("lambda", "add_permission", **properties, StatementId=name)
        return Physical(name, name)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Nothing of a permission changes in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call(
            "lambda",
            "remove_permission",
            FunctionName=properties["FunctionName"],
            StatementId=physical.name,
        )
