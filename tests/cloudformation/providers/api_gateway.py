"""API Gateway: REST APIs from an OpenAPI body, deployments as snapshots."""

import copy
import json
from collections.abc import Mapping

from local.gateway.openapi import METHODS, snapshot_of
from local.gateway.snapshot import Snapshot
from local.template.intrinsics import Json, ResolveError
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, changed, tag_map
from tests.cloudformation.providers.gaps import set_authorization

INTEGRATION = "x-amazon-apigateway-integration"


class RestApiProvider:
    """AWS::ApiGateway::RestApi: an update of Body is a PutRestApi that overwrites."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _freeze(properties)
        answer = cloud.call(
            "apigateway",
            "create_rest_api",
            name=properties.get("Name", name),
            description=properties.get("Description", ""),
            endpointConfiguration={"types": properties["EndpointConfiguration"]["Types"]},
            tags=tag_map(properties),
            **_compression(properties),
        )
        api_id = answer["id"]
        _put_body(cloud, api_id, properties)
        root = next(item for item in _resources(cloud, api_id) if item["path"] == "/")
        return Physical(api_id, api_id, {"RestApiId": api_id, "RootResourceId": root["id"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        _freeze(after)
        paths = {"Name": "/name", "Description": "/description"}
        for name in changed(before, after) & paths.keys():
            operation = {"op": "replace", "path": paths[name], "value": after.get(name, "")}
            cloud.call("apigateway", "update_rest_api", restApiId=physical.name, patchOperations=[operation])
        _put_body(cloud, physical.name, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("apigateway", "delete_rest_api", restApiId=physical.name)
        del cloud.apis[physical.name]


class DeploymentProvider:
    """AWS::ApiGateway::Deployment: freezes the API as it is at this moment."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        if "StageName" in properties:
            raise ProviderFailed("A Deployment that makes its own stage is not supported here.")
        api_id = properties["RestApiId"]
        answer = cloud.call("apigateway", "create_deployment", restApiId=api_id)
        cloud.snapshots[answer["id"]] = _freeze(cloud.apis[api_id])
        return Physical(answer["id"], answer["id"], {"DeploymentId": answer["id"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """A description changes in place; the snapshot does not."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        api_id = properties["RestApiId"]
        for stage in cloud.client("apigateway").get_stages(restApiId=api_id)["item"]:
            if stage["deploymentId"] == physical.name:
                raise ProviderFailed(
                    "Active stages pointing to this deployment must be moved or deleted: "
                    + stage["stageName"]
                )
        cloud.call("apigateway", "delete_deployment", restApiId=api_id, deploymentId=physical.name)
        del cloud.snapshots[physical.name]


def _freeze(properties: Mapping[str, Json]) -> Snapshot:
    try:
        _check_timeouts(properties["Body"])
        return snapshot_of(properties)
    except ResolveError as error:
        raise ProviderFailed(str(error)) from error


def _check_timeouts(body: Mapping[str, Json]) -> None:
    """Refuse what no account may have without asking for it: https://github.com/aws/aws-cdk/issues/31063."""
    for item in body["paths"].values():
        for method in set(METHODS) & item.keys():
            if not 50 <= int(item[method][INTEGRATION].get("timeoutInMillis", 29000)) <= 29000:
                raise ProviderFailed("Timeout should be between 50 ms and 29000 ms")


def _compression(properties: Mapping[str, Json]) -> dict[str, Json]:
    size = properties.get("MinimumCompressionSize")
    return {} if size is None else {"minimumCompressionSize": size}


def _resources(cloud: Cloud, api_id: str) -> list[dict[str, Json]]:
    client = cloud.client("apigateway")
    items: list[dict[str, Json]] = client.get_resources(restApiId=api_id, limit=500)["items"]
    return items


def _put_body(cloud: Cloud, api_id: str, properties: Mapping[str, Json]) -> None:
    """Import the body, then set what moto's importer leaves out: each method's authorization."""
    body = json.dumps(_for_moto(properties["Body"])).encode()
    cloud.call("apigateway", "put_rest_api", restApiId=api_id, mode="overwrite", body=body)
    ids = {item["path"]: item["id"] for item in _resources(cloud, api_id)}
    for route in snapshot_of(properties).routes:
        set_authorization(cloud.region, api_id, ids[route.path], route.method, route.authorization)
    cloud.apis[api_id] = copy.deepcopy(dict(properties))


def _for_moto(body: Mapping[str, Json]) -> dict[str, Json]:
    """Fill in what moto's importer wants of mocks too: a URI and a method."""
    filled = copy.deepcopy(dict(body))
    for item in filled["paths"].values():
        for method in set(METHODS) & item.keys():
            item[method][INTEGRATION] = {"uri": "mock", "httpMethod": "POST", **item[method][INTEGRATION]}
    return filled
