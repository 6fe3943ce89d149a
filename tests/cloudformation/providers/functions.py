"""Lambda: functions and the statements of their resource policies."""

from collections.abc import Mapping

from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, changed, tag_map

CODE = {"Code", "Architectures"}


class FunctionProvider:
    """AWS::Lambda::Function."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
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
        if names - CODE:
            settings = {
                key: value for key, value in after.items() if key not in {*CODE, "PackageType", "Tags"}
            }
            cloud.call(
                "lambda", "update_function_configuration", **{**settings, "FunctionName": physical.name}
            )

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("lambda", "delete_function", FunctionName=physical.name)


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
