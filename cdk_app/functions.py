"""What the stack's functions share: the Lambda backend's, the Explorer's and the catalogue's."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam, aws_logs
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from cdk_app import iam
from cdk_app.choices import Choices
from cdk_app.conditions import Conditions, pick


def function_role(
    scope: Construct,
    description: str,
    logs: aws_logs.CfnLogGroup,
    *,
    caller: str = "lambda",
    policies: Sequence[aws_iam.CfnRole.PolicyProperty] = (),
) -> aws_iam.CfnRole:
    """A function's role: its log lines and traces, and what `policies` say.

    `caller` is who assumes it, as `iam.service_role` wants it.
    """
    writing = iam.policy("WriteLogsAndTraces", [iam.write_logs(logs), iam.write_traces()])
    return iam.service_role(
        scope, "Role", service=caller, description=description, policies=[writing, *policies]
    )


def json_logs(logs: aws_logs.CfnLogGroup) -> lambda_.CfnFunction.LoggingConfigProperty:
    """Lambda's own lines as JSON too, into a log group that the stack owns."""
    return lambda_.CfnFunction.LoggingConfigProperty(log_format="JSON", log_group=logs.ref)


def ceiling(choices: Choices) -> float:
    """The reservation of a function that answers callers; none where LambdaMaxConcurrency is empty."""
    number = pick(choices.conditions.has_ceiling, choices.parameters["LambdaMaxConcurrency"])
    return cdk.Token.as_number(number)


def traced(conditions: Conditions) -> lambda_.CfnFunction.TracingConfigProperty:
    """Traces, except in China, where Lambda has no X-Ray.

    https://docs.amazonaws.cn/en_us/aws/latest/userguide/lambda.html#feature-diff
    """
    mode = pick(conditions["InChina"], "PassThrough", "Active")
    return lambda_.CfnFunction.TracingConfigProperty(mode=cdk.Token.as_string(mode))


def proxy_integration(function: lambda_.CfnFunction) -> dict[str, Any]:
    """API Gateway's Lambda proxy integration."""
    uri = cdk.Fn.sub(
        "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function}/invocations",
        {"Function": function.attr_arn},
    )
    return {"type": "aws_proxy", "httpMethod": "POST", "uri": uri}


def invoke_permission(
    scope: Construct, function: lambda_.CfnFunction, source_arn: str
) -> lambda_.CfnPermission:
    """Let API Gateway call the function, for these methods of this API alone: the ARN names the account."""
    return lambda_.CfnPermission(
        scope,
        "Permission",
        action="lambda:InvokeFunction",
        function_name=function.ref,
        principal="apigateway.amazonaws.com",
        source_arn=source_arn,
    )
