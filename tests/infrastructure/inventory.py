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
        **_catalogue(client_of),
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


def _catalogue(client_of: Clients) -> dict[str, list[str]]:
    vectors, queues = client_of("s3vectors"), client_of("sqs")
    buckets = [item["vectorBucketName"] for item in vectors.list_vector_buckets()["vectorBuckets"]]
    urls = queues.list_queues().get("QueueUrls", [])
    mappings = client_of("lambda").list_event_source_mappings()["EventSourceMappings"]
    return {
        "AWS::S3Vectors::VectorBucket": buckets,
        "AWS::S3Vectors::Index": [
            item["indexArn"]
            for name in buckets
            for item in vectors.list_indexes(vectorBucketName=name)["indexes"]
        ],
        "AWS::DynamoDB::Table": client_of("dynamodb").list_tables()["TableNames"],
        "AWS::SQS::Queue": urls,
        "AWS::SQS::QueuePolicy": [url for url in urls if _has_policy(queues, url)],
        "AWS::Events::Rule": [item["Name"] for item in client_of("events").list_rules()["Rules"]],
        "AWS::Lambda::EventSourceMapping": [item["UUID"] for item in mappings],
    }


def _has_policy(queues: Any, url: str) -> bool:
    answer = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    return bool(answer.get("Attributes", {}).get("Policy"))


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
