"""Everything that the mocked services describe."""

from collections.abc import Callable
from typing import Any

Clients = Callable[[str], Any]
Statements = Callable[[str], list[dict[str, Any]]]


def inventory(client_of: Clients, statements: Statements) -> dict[str, list[str]]:
    """Names of all that exists, by CloudFormation type; types that have nothing are left out."""
    found = {
        **_api_gateway(client_of),
        **_functions(client_of, statements),
        **_iam(client_of),
        **_sagemaker(client_of),
        **_watch(client_of),
    }
    return {kind: sorted(names) for kind, names in found.items() if names}


def _api_gateway(client_of: Clients) -> dict[str, list[str]]:
    client = client_of("apigateway")
    apis = [api["id"] for api in client.get_rest_apis(limit=500)["items"]]
    return {
        "AWS::ApiGateway::RestApi": apis,
        "AWS::ApiGateway::Deployment": [
            item["id"] for api in apis for item in client.get_deployments(restApiId=api)["items"]
        ],
        "AWS::ApiGateway::Stage": [
            item["stageName"] for api in apis for item in client.get_stages(restApiId=api)["item"]
        ],
    }


def _functions(client_of: Clients, statements: Statements) -> dict[str, list[str]]:
    names = [item["FunctionName"] for item in client_of("lambda").list_functions()["Functions"]]
    return {
        "AWS::Lambda::Function": names,
        "AWS::Lambda::Permission": [item["Sid"] for name in names for item in statements(name)],
    }


def _iam(client_of: Clients) -> dict[str, list[str]]:
    client = client_of("iam")
    names = [item["RoleName"] for item in client.list_roles()["Roles"]]
    policies = [name for role in names for name in client.list_role_policies(RoleName=role)["PolicyNames"]]
    return {"AWS::IAM::Role": names, "inline policies": policies}


def _sagemaker(client_of: Clients) -> dict[str, list[str]]:
    client, scaling = client_of("sagemaker"), client_of("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    return {
        "AWS::SageMaker::Model": [item["ModelName"] for item in client.list_models()["Models"]],
        "AWS::SageMaker::EndpointConfig": [
            item["EndpointConfigName"] for item in client.list_endpoint_configs()["EndpointConfigs"]
        ],
        "AWS::SageMaker::Endpoint": [item["EndpointName"] for item in client.list_endpoints()["Endpoints"]],
        "AWS::ApplicationAutoScaling::ScalableTarget": [item["ResourceId"] for item in targets],
        "AWS::ApplicationAutoScaling::ScalingPolicy": [item["PolicyARN"] for item in policies],
    }


def _watch(client_of: Clients) -> dict[str, list[str]]:
    client = client_of("cloudwatch")
    return {
        "AWS::Logs::LogGroup": [
            item["logGroupName"] for item in client_of("logs").describe_log_groups()["logGroups"]
        ],
        "AWS::CloudWatch::Alarm": [item["AlarmName"] for item in client.describe_alarms()["MetricAlarms"]],
        "AWS::CloudWatch::Dashboard": [
            item["DashboardName"] for item in client.list_dashboards()["DashboardEntries"]
        ],
    }
