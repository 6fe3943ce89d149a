"""What is still there of a stack that was deleted."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from verify.aws.failures import absent, told
from verify.facts import Resource, Stack

Clients = Callable[[str], Any]
Describe = Callable[[Any, str], object]
TYPES: Mapping[str, tuple[str, Describe]] = {
    # type -> service, and a call that is refused where the resource is gone, or that says nothing
    "AWS::ApiGateway::RestApi": ("apigateway", lambda client, name: client.get_rest_api(restApiId=name)),
    "AWS::CloudWatch::Alarm": (
        "cloudwatch",
        lambda client, name: client.describe_alarms(AlarmNames=[name])["MetricAlarms"],
    ),
    "AWS::CloudWatch::Dashboard": (
        "cloudwatch",
        lambda client, name: client.get_dashboard(DashboardName=name),
    ),
    "AWS::DynamoDB::Table": ("dynamodb", lambda client, name: client.describe_table(TableName=name)),
    "AWS::Events::Rule": ("events", lambda client, name: client.describe_rule(Name=name)),
    "AWS::IAM::Role": ("iam", lambda client, name: client.get_role(RoleName=name)),
    "AWS::Lambda::Function": ("lambda", lambda client, name: client.get_function(FunctionName=name)),
    "AWS::Lambda::EventSourceMapping": (
        "lambda",
        lambda client, name: client.get_event_source_mapping(UUID=name),
    ),
    "AWS::Logs::LogGroup": (
        "logs",
        lambda client, name: [
            group
            for group in client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
            if group["logGroupName"] == name
        ],
    ),
    "AWS::S3Vectors::VectorBucket": (
        "s3vectors",
        lambda client, name: client.get_vector_bucket(vectorBucketName=name),
    ),
    "AWS::SQS::Queue": ("sqs", lambda client, name: client.get_queue_attributes(QueueUrl=name)),
    "AWS::SageMaker::Endpoint": (
        "sagemaker",
        lambda client, name: client.describe_endpoint(EndpointName=name),
    ),
    "AWS::SageMaker::EndpointConfig": (
        "sagemaker",
        lambda client, name: client.describe_endpoint_config(EndpointConfigName=name),
    ),
    "AWS::SageMaker::Model": ("sagemaker", lambda client, name: client.describe_model(ModelName=name)),
}
"""What goes with one of these (deployments, stages, permissions, policies, scaling) is not asked for."""


def leftovers(client: Clients, stack: Stack) -> list[str]:
    """What is left of the stack's resources, and log groups that services made under its name."""
    left = [f"{item.type} {item.name}" for item in stack.resources.values() if _exists(client, item)]
    name = stack.id.split("/")[1]
    with told("Log groups can't be listed"):
        groups = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}-")["logGroups"]
    return sorted({*left, *(f"log group {group['logGroupName']}" for group in groups)})


def _exists(client: Clients, resource: Resource) -> bool:
    if resource.type not in TYPES:
        return False
    service, describe = TYPES[resource.type]
    with told(f"Whether {resource.name} is left can't be found out"):
        try:
            return bool(describe(client(service), resource.name))
        except ClientError as error:
            if absent(error):
                return False
            raise
