"""The API Explorer: one zip function that serves a page, its assets and the document of what is deployed."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from api_explorer.bundle import bundle
from cdk_app import iam
from cdk_app.conditions import Conditions, when
from cdk_app.lambda_backend import invoke_permission, json_logs, proxy_integration
from cdk_app.logs import log_group
from cdk_app.parameters import Parameters
from cdk_app.rest_api import RestApi

MEMORY_MB = 256
TIMEOUT_SECONDS = 10


class ApiExplorer(Construct):
    """Function, role, log group and API Gateway's permission; all exist when it is switched on."""

    def __init__(
        self, scope: Construct, *, api: RestApi, parameters: Parameters, conditions: Conditions
    ) -> None:
        super().__init__(scope, "Explorer")
        logs_ = log_group(self, "LogGroup", parameters)
        role = iam.service_role(
            self,
            "Role",
            service="lambda",
            description="What the API Explorer's function may do",
            policies=[iam.policy("WriteLogsAndTraces", [iam.write_logs(logs_), iam.write_traces()])],
        )
        code = self._code()
        self.function = lambda_.CfnFunction(
            self,
            "Function",
            description="The API Explorer of Image Similarity",
            runtime="python3.14",
            handler="handler.handler",
            code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
            role=role.attr_arn,
            memory_size=MEMORY_MB,
            timeout=TIMEOUT_SECONDS,
            environment=lambda_.CfnFunction.EnvironmentProperty(
                variables={
                    "AUTHORIZATION": parameters["APIGatewayAuthorization"],
                    "IMAGE_SIMILARITY": parameters["ImageSimilarity"],
                }
            ),
            logging_config=json_logs(logs_),
            tracing_config=lambda_.CfnFunction.TracingConfigProperty(mode="Active"),
        )
        code.add_resource_metadata(self.function, "Code")
        self.permission = invoke_permission(self, self.function, api.execute_arn("GET/api-explorer*"))
        when(conditions.has_explorer, self)

    def integration(self) -> dict[str, Any]:
        """The integration of the Explorer's routes."""
        return proxy_integration(self.function)

    def _code(self) -> s3_assets.Asset:
        """The zip's content, gathered without a container; the CDK copies it while the folder exists."""
        with TemporaryDirectory() as folder:
            bundle(Path(folder))
            return s3_assets.Asset(self, "Code", path=folder)
