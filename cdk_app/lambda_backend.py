"""The Lambda backend: one function from a container image, called straight by API Gateway."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app import iam
from cdk_app.conditions import Conditions, when
from cdk_app.config import DeploymentConfig
from cdk_app.images import image, service_environment
from cdk_app.logs import log_group
from cdk_app.parameters import Parameters
from cdk_app.rest_api import RestApi

TIMEOUT_SECONDS = 28  # under API Gateway's 29, so that the caller gets our answer and not a 504


class LambdaBackend(Construct):
    """Function, role, log group and API Gateway's permission; all exist when it is chosen."""

    def __init__(
        self,
        scope: Construct,
        *,
        api: RestApi,
        parameters: Parameters,
        conditions: Conditions,
        config: DeploymentConfig,
    ) -> None:
        super().__init__(scope, "Lambda")
        logs_ = log_group(self, "LogGroup", parameters)
        role = iam.service_role(
            self,
            "Role",
            service="lambda",
            description="What the Image Similarity function may do",
            policies=[iam.policy("WriteLogsAndTraces", [iam.write_logs(logs_), iam.write_traces()])],
        )
        buckets = parameters["ImageBuckets"]
        iam.read_buckets(self, role, conditions=conditions, backend="Lambda", buckets=buckets)
        self.function = self._function(
            image(self, "lambda", config).image_uri, role.attr_arn, logs_, parameters, config
        )
        self.permission = invoke_permission(self, self.function, api.execute_arn("POST/*"))
        when(conditions["IsLambda"], self)

    def integration(self) -> dict[str, Any]:
        """The integration of the feature's routes: the function answers status, headers and body itself."""
        return proxy_integration(self.function)

    def _function(
        self,
        image_uri: str,
        role_arn: str,
        logs_: logs.CfnLogGroup,
        parameters: Parameters,
        config: DeploymentConfig,
    ) -> lambda_.CfnFunction:
        return lambda_.CfnFunction(
            self,
            "Function",
            description="Vectors and similarity of images",
            package_type="Image",
            code=lambda_.CfnFunction.CodeProperty(image_uri=image_uri),
            architectures=[config.architecture],
            role=role_arn,
            memory_size=parameters.number("LambdaMemorySize"),
            timeout=TIMEOUT_SECONDS,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=service_environment(parameters)),
            logging_config=json_logs(logs_),
            tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode="Active"),
        )


def json_logs(logs_: logs.CfnLogGroup) -> lambda_.CfnFunction.LoggingConfigProperty:
    """Lambda's own lines as JSON too, into a log group that the stack owns."""
    return lambda_.CfnFunction.LoggingConfigProperty(log_format="JSON", log_group=logs_.ref)


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
