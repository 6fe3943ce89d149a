"""DynamoDB: tables."""

from collections.abc import Mapping

from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, changed

KNOWN = {
    *("AttributeDefinitions", "BillingMode", "KeySchema", "LocalSecondaryIndexes"),
    *("TableName", "Tags"),
}


class TableProvider:
    """AWS::DynamoDB::Table; of what can be set at creation alone, nothing is changed here."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        if unknown := properties.keys() - KNOWN:
            raise ProviderFailed(f"{sorted(unknown)} of a table are not modelled here.")
        table = properties.get("TableName", name)
        answer = cloud.call("dynamodb", "create_table", **{**properties, "TableName": table})
        return Physical(table, table, {"Arn": answer["TableDescription"]["TableArn"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        if names := changed(before, after) - {"Tags"}:
            raise ProviderFailed(f"{sorted(names)} of a table can't be changed here.")

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("dynamodb", "delete_table", TableName=physical.name)
