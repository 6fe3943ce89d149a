"""Application Auto Scaling: scalable targets and their policies."""

from collections.abc import Mapping

from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, tag_map

SERVICE = "application-autoscaling"


class ScalableTargetProvider:
    """AWS::ApplicationAutoScaling::ScalableTarget of a SageMaker variant."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _register(cloud, properties)
        identity = _identity(properties)
        ref = f"{identity['ResourceId']}|{identity['ScalableDimension']}|{identity['ServiceNamespace']}"
        return Physical(ref, identity["ResourceId"])

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _register(cloud, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call(SERVICE, "deregister_scalable_target", **_identity(properties))


class ScalingPolicyProvider:
    """AWS::ApplicationAutoScaling::ScalingPolicy on a target given by ScalingTargetId."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        answer = _put_policy(cloud, properties)
        return Physical(answer["PolicyARN"], properties["PolicyName"])

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _put_policy(cloud, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        target = _target(properties)
        cloud.call(SERVICE, "delete_scaling_policy", **target, PolicyName=properties["PolicyName"])


def _identity(properties: Mapping[str, Json]) -> dict[str, Json]:
    return {name: properties[name] for name in ("ServiceNamespace", "ResourceId", "ScalableDimension")}


def _register(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    if int(properties["MinCapacity"]) > int(properties["MaxCapacity"]):
        raise ProviderFailed("Minimum capacity cannot be greater than maximum capacity")
    endpoint = str(properties["ResourceId"]).split("/")[1]
    existing = cloud.client("sagemaker").list_endpoints()["Endpoints"]
    if endpoint not in {item["EndpointName"] for item in existing}:
        raise ProviderFailed(f'Could not find endpoint "{endpoint}".')
    cloud.call(SERVICE, "register_scalable_target", **{**properties, "Tags": tag_map(properties)})


def _target(properties: Mapping[str, Json]) -> dict[str, str]:
    resource, dimension, namespace = str(properties["ScalingTargetId"]).split("|")
    return {"ServiceNamespace": namespace, "ResourceId": resource, "ScalableDimension": dimension}


def _put_policy(cloud: Cloud, properties: Mapping[str, Json]) -> dict[str, str]:
    rest = {name: value for name, value in properties.items() if name != "ScalingTargetId"}
    return cloud.call(SERVICE, "put_scaling_policy", **_target(properties), **rest)
