"""What a stack must show for its parameters, written from the contract and not from the template."""

from collections.abc import Mapping

from tests.cloudformation.providers.functions import CREATE_INTERFACE
from tests.infrastructure.account import Account
from tests.infrastructure.wanted_catalogue import check_catalogue, of_catalogue, serves_catalogue
from tests.infrastructure.wanted_containers import (
    check_environment,
    check_interfaces,
    listed,
    objects,
    readable,
    reserved,
)

Parameters = Mapping[str, str]
FEATURE = ("/image-similarity", "/text_similarity")
EXPLORER = ("/api-explorer", "/api-explorer/{asset}")
CATALOGUE = (
    # method, path, authorization where it is not the parameter's
    ("GET", "/catalogue", ""),
    ("POST", "/catalogue/search", ""),
    ("POST", "/catalogue/sync", "AWS_IAM"),
)
Routes = set[tuple[str, str, str, str]]


def routes(parameters: Parameters) -> Routes:
    """Method, path, authorization and integration kind of every served route."""
    backend, explorer = parameters["ImageSimilarity"], parameters["APIExplorer"]
    wanted = {("GET", "/", "NONE", "mock"), ("OPTIONS", "/", "NONE", "mock")}
    if backend != "no":
        kind = {"yes-lambda": "aws_proxy", "yes-sagemaker": "aws"}[backend]
        wanted |= {("POST", path, parameters["APIGatewayAuthorization"], kind) for path in FEATURE}
        wanted |= {("OPTIONS", path, "NONE", "mock") for path in FEATURE}
    if serves_catalogue(parameters):
        wanted |= {
            (method, path, signed or parameters["APIGatewayAuthorization"], "aws_proxy")
            for method, path, signed in CATALOGUE
        }
        wanted |= {("OPTIONS", path, "NONE", "mock") for _, path, _ in CATALOGUE}
    if explorer == "yes":
        wanted |= {("GET", path, "NONE", "aws_proxy") for path in EXPLORER}
        wanted |= {("OPTIONS", path, "NONE", "mock") for path in EXPLORER}
    return wanted


def served(account: Account) -> Routes:
    """The same of the one stage that is there."""
    return {
        (route.method, route.path, route.authorization, route.integration.kind)
        for route in account.stage().snapshot.routes
    }


def check_stack(account: Account, parameters: Parameters) -> None:
    """Assert that the services describe just what belongs to these parameters."""
    stage = account.stage()
    assert served(account) == routes(parameters)
    assert stage.name == parameters["APIGatewayStageName"]
    for route in stage.snapshot.routes:
        account.check_callable(stage, route)
    account.check_roles()
    found = account.inventory()
    check_described(account, parameters, found)
    check_inventory(account, found)
    check_requests(account, parameters)


def check_inventory(account: Account, found: Mapping[str, list[str]]) -> None:
    """Assert that each service holds the stack's resources and nothing else; one Deployment."""
    described = {kind: len(names) for kind, names in found.items() if "::" in kind}
    expected: dict[str, int] = {}
    for resource in account.engine.resources.values():
        if resource.type != "AWS::IAM::Policy":
            expected[resource.type] = expected.get(resource.type, 0) + 1
    assert described == expected
    assert len(found["AWS::ApiGateway::Deployment"]) == 1


def check_described(account: Account, parameters: Parameters, found: Mapping[str, list[str]]) -> None:
    """Assert what describing calls say about the values of parameters."""
    backend, serving = parameters["ImageSimilarity"], serves_catalogue(parameters)
    expected = {
        "AWS::Lambda::Function": (backend == "yes-lambda")
        + (parameters["APIExplorer"] == "yes")
        + 2 * serving,
        "AWS::SageMaker::Model": backend == "yes-sagemaker",
        "AWS::SageMaker::Endpoint": backend == "yes-sagemaker",
        "AWS::SageMaker::EndpointConfig": backend == "yes-sagemaker",
        "AWS::ApplicationAutoScaling::ScalableTarget": backend == "yes-sagemaker",
    }
    assert {kind: len(found.get(kind, [])) for kind in expected} == expected
    _check_methods(account, parameters)
    _check_stage(account, parameters)
    _check_logs_and_alarms(account, parameters)
    if backend == "yes-lambda":
        _check_function(account, parameters)
    if backend == "yes-sagemaker":
        _check_endpoint(account, parameters)
    check_catalogue(account, parameters, found)


def _check_methods(account: Account, parameters: Parameters) -> None:
    api = account.stage().api_id
    items = account.client("apigateway").get_resources(restApiId=api, embed=["methods"], limit=500)["items"]
    methods = {
        (method, item["path"], details["authorizationType"])
        for item in items
        for method, details in item.get("resourceMethods", {}).items()
    }
    assert methods == {(method, path, authorization) for method, path, authorization, _ in routes(parameters)}


def _check_stage(account: Account, parameters: Parameters) -> None:
    client, live = account.client("apigateway"), account.stage()
    stage = client.get_stage(restApiId=live.api_id, stageName=live.name)
    settings = stage["methodSettings"]["*/*"]
    auto = {"AWS_IAM": (50.0, 100), "NONE": (10.0, 20)}[parameters["APIGatewayAuthorization"]]
    for name, setting, automatic in (
        ("ThrottlingRateLimit", "throttlingRateLimit", auto[0]),
        ("ThrottlingBurstLimit", "throttlingBurstLimit", auto[1]),
    ):
        value = parameters[name]
        assert settings[setting] == (automatic if value == "auto" else float(value)), name
    assert settings["metricsEnabled"] == (parameters["AccessLogs"] == "yes")
    assert bool(stage.get("accessLogSettings")) == (parameters["AccessLogs"] == "yes")
    acl = parameters["WebAclArn"]
    arn = f"arn:aws:apigateway:{account.cloud.region}::/restapis/{live.api_id}/stages/{live.name}"
    assert account.cloud.protected == ({arn: acl} if acl else {})
    deployments = client.get_deployments(restApiId=live.api_id)["items"]
    assert [item["id"] for item in deployments] == [stage["deploymentId"]]


def _check_logs_and_alarms(account: Account, parameters: Parameters) -> None:
    for group in account.client("logs").describe_log_groups()["logGroups"]:
        assert group["retentionInDays"] == int(parameters["LogRetentionDays"]), group
        assert (group.get("kmsKeyId") or "") == parameters["KmsKeyArn"], group
    topic = parameters["AlarmTopicArn"]
    for alarm in account.client("cloudwatch").describe_alarms()["MetricAlarms"]:
        assert alarm.get("AlarmActions", []) == ([topic] if topic else [])


def _check_function(account: Account, parameters: Parameters) -> None:
    functions = account.client("lambda").list_functions()["Functions"]
    [function] = [item for item in functions if item["PackageType"] == "Image" and not of_catalogue(item)]
    assert function["MemorySize"] == int(parameters["LambdaMemorySize"])
    check_environment(function["Environment"]["Variables"], parameters)
    assert reserved(account, function) == (
        int(parameters["LambdaMaxConcurrency"]) if parameters["LambdaMaxConcurrency"] else None
    )
    vpc = function.get("VpcConfig", {})
    assert vpc.get("SubnetIds", []) == listed(parameters["SubnetIds"])
    assert vpc.get("SecurityGroupIds", []) == listed(parameters["SecurityGroupIds"])
    check_interfaces(account, function["Role"], parameters)
    assert readable(account, function["Role"]) == objects(parameters)


def _check_endpoint(account: Account, parameters: Parameters) -> None:
    client = account.client("sagemaker")
    endpoint = client.describe_endpoint(EndpointName=account.stage().variables["endpoint"])
    config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    [variant] = config["ProductionVariants"]
    assert variant["InstanceType"] == parameters["SageMakerInstanceType"]
    model = client.describe_model(ModelName=variant["ModelName"])
    check_environment(model["PrimaryContainer"]["Environment"], parameters)
    vpc = model.get("VpcConfig") or {}
    assert vpc.get("Subnets", []) == listed(parameters["SubnetIds"])
    assert vpc.get("SecurityGroupIds", []) == listed(parameters["SecurityGroupIds"])
    assert account.permissions.may(model["ExecutionRoleArn"], CREATE_INTERFACE) == bool(
        parameters["SubnetIds"]
    )
    assert variant["InitialInstanceCount"] == int(parameters["SageMakerMinInstances"])
    assert readable(account, model["ExecutionRoleArn"]) == objects(parameters)
    scaling = account.client("application-autoscaling")
    [target] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["ResourceId"] == f"endpoint/{endpoint['EndpointName']}/variant/{variant['VariantName']}"
    assert target["MinCapacity"] == int(parameters["SageMakerMinInstances"])
    assert target["MaxCapacity"] == int(parameters["SageMakerMaxInstances"])


def check_requests(account: Account, parameters: Parameters) -> None:
    """Assert how unsigned requests through the gateway are answered."""
    stage, backend = parameters["APIGatewayStageName"], parameters["ImageSimilarity"]
    is_open = backend != "no" and parameters["APIGatewayAuthorization"] == "NONE"
    for path in FEATURE:
        status, body = account.call("POST", f"/{stage}{path}")
        assert status == (200 if is_open else 403)
        if is_open:
            expected = "lambda" if backend == "yes-lambda" else account.stage().variables["endpoint"]
            assert body == {"answered": expected}
        assert account.call("OPTIONS", f"/{stage}{path}")[0] == (403 if backend == "no" else 204)
    for method, path, signed in CATALOGUE:
        serving = serves_catalogue(parameters)
        may = serving and (signed or parameters["APIGatewayAuthorization"]) == "NONE"
        assert account.call(method, f"/{stage}{path}")[0] == (200 if may else 403)
        assert account.call("OPTIONS", f"/{stage}{path}")[0] == (204 if serving else 403)
    assert account.call("GET", f"/{stage}/api-explorer")[0] == (
        200 if parameters["APIExplorer"] == "yes" else 403
    )
    assert account.call("GET", f"/{stage}")[0] == 200
    assert account.engine.outputs.get("ImageSimilarity", "").endswith(f"/{stage}/image-similarity") == (
        backend != "no"
    )
