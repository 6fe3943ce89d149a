"""CloudWatch: log groups, alarms, dashboards."""

from collections.abc import Mapping

from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, tag_map
from tests.cloudformation.providers.gaps import set_key


class LogGroupProvider:
    """AWS::Logs::LogGroup."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        group = properties.get("LogGroupName", name)
        key = _checked_key(cloud, group, properties)
        encrypted = {} if key is None else {"kmsKeyId": key}
        cloud.call("logs", "create_log_group", logGroupName=group, tags=tag_map(properties), **encrypted)
        _retain(cloud, group, properties)
        found = cloud.call("logs", "describe_log_groups", logGroupNamePrefix=group)["logGroups"]
        return Physical(group, group, {"Arn": next(g["arn"] for g in found if g["logGroupName"] == group)})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        set_key(cloud.region, physical.name, _checked_key(cloud, physical.name, after))
        _retain(cloud, physical.name, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("logs", "delete_log_group", logGroupName=physical.name)


class AlarmProvider:
    """AWS::CloudWatch::Alarm: PutMetricAlarm creates and replaces."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        alarm = properties.get("AlarmName", name)
        cloud.call("cloudwatch", "put_metric_alarm", **{**properties, "AlarmName": alarm})
        found = cloud.call("cloudwatch", "describe_alarms", AlarmNames=[alarm])["MetricAlarms"]
        return Physical(alarm, alarm, {"Arn": found[0]["AlarmArn"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        cloud.call("cloudwatch", "put_metric_alarm", **{**after, "AlarmName": physical.name})

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("cloudwatch", "delete_alarms", AlarmNames=[physical.name])


class DashboardProvider:
    """AWS::CloudWatch::Dashboard."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        dashboard = properties.get("DashboardName", name)
        _put(cloud, dashboard, properties)
        return Physical(dashboard, dashboard)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _put(cloud, physical.name, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("cloudwatch", "delete_dashboards", DashboardNames=[physical.name])


def _checked_key(cloud: Cloud, group: str, properties: Mapping[str, Json]) -> str | None:
    """The group's key; refused where the key's own policy does not let CloudWatch Logs use it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html; the words are those of
    https://github.com/aws/aws-cdk/issues/28304
    """
    key: str | None = properties.get("KmsKeyId")
    if key is not None and key not in cloud.log_keys:
        raise ProviderFailed(
            "The specified KMS key does not exist or is not allowed to be used with Arn "
            f"'arn:aws:logs:{cloud.region}:123456789012:log-group:{group}'"
        )
    return key


def _put(cloud: Cloud, name: str, properties: Mapping[str, Json]) -> None:
    body = properties["DashboardBody"]
    cloud.call("cloudwatch", "put_dashboard", DashboardName=name, DashboardBody=body)


def _retain(cloud: Cloud, group: str, properties: Mapping[str, Json]) -> None:
    days = properties.get("RetentionInDays")
    if days is None:
        cloud.call("logs", "delete_retention_policy", logGroupName=group)
    else:
        cloud.call("logs", "put_retention_policy", logGroupName=group, retentionInDays=days)
