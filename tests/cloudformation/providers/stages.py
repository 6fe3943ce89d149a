"""API Gateway's stages: a name, the deployment that it serves, variables and settings."""

from collections.abc import Mapping

from local.template.intrinsics import Json, as_text
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, tag_map
from tests.cloudformation.providers.web_acls import stage_arn

SETTINGS = {
    # property of a method setting -> path of its patch operation
    "ThrottlingRateLimit": "throttling/rateLimit",
    "ThrottlingBurstLimit": "throttling/burstLimit",
    "MetricsEnabled": "metrics/enabled",
    "LoggingLevel": "logging/loglevel",
    "DataTraceEnabled": "logging/dataTrace",
}


class StageProvider:
    """AWS::ApiGateway::Stage."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _check_log_role(cloud, properties)
        stage = properties["StageName"]
        cloud.call(
            "apigateway",
            "create_stage",
            restApiId=properties["RestApiId"],
            stageName=stage,
            deploymentId=properties["DeploymentId"],
            variables=properties.get("Variables", {}),
            tags=tag_map(properties),
            tracingEnabled=properties.get("TracingEnabled", False),
        )
        _patch(cloud, properties, _settings({}, properties))
        return Physical(stage, stage)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _check_log_role(cloud, after)
        operations = _variables(before.get("Variables", {}), after.get("Variables", {}))
        operations += _settings(before, after)
        # One PATCH: deployment, variables and settings change together, as API Gateway does it.
        _patch(
            cloud,
            after,
            [{"op": "replace", "path": "/deploymentId", "value": after["DeploymentId"]}, *operations],
        )

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("apigateway", "delete_stage", restApiId=properties["RestApiId"], stageName=physical.name)
        cloud.protected.pop(stage_arn(cloud, properties["RestApiId"], physical.name), None)


def _check_log_role(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    if "AccessLogSetting" in properties and not cloud.log_role:
        raise ProviderFailed("CloudWatch Logs role ARN must be set in account settings to enable logging")


def _patch(cloud: Cloud, properties: Mapping[str, Json], operations: list[dict[str, str]]) -> None:
    names = {"restApiId": properties["RestApiId"], "stageName": properties["StageName"]}
    cloud.call("apigateway", "update_stage", **names, patchOperations=operations)


def _variables(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[dict[str, str]]:
    gone = [
        {"op": "remove", "path": f"/variables/{name}", "value": ""} for name in before.keys() - after.keys()
    ]
    return gone + [
        {"op": "replace", "path": f"/variables/{name}", "value": as_text(value)}
        for name, value in after.items()
    ]


def _settings(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[dict[str, str]]:
    operations = [
        {
            "op": "replace",
            "path": f"{_scope(setting)}/{SETTINGS[name]}",
            "value": as_text(value),
        }
        for setting in after.get("MethodSettings", [])
        for name, value in setting.items()
        if name in SETTINGS
    ]
    logs = after.get("AccessLogSetting")
    if logs:
        operations += [
            {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": logs["DestinationArn"]},
            {"op": "replace", "path": "/accessLogSettings/format", "value": logs["Format"]},
        ]
    elif "AccessLogSetting" in before:
        operations.append({"op": "remove", "path": "/accessLogSettings", "value": ""})
    tracing = as_text(after.get("TracingEnabled", False))
    return [*operations, {"op": "replace", "path": "/tracingEnabled", "value": tracing}]


def _scope(setting: Mapping[str, Json]) -> str:
    """Return the path of a method setting: `/*/*` for the whole stage, else the escaped resource path."""
    resource = setting["ResourcePath"]
    escaped = "*" if resource == "/*" else resource.replace("/", "~1")
    return f"/{escaped}/{setting['HttpMethod']}"
