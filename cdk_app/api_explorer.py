"""The API Explorer: one zip function that serves a page, its assets and the document of what is deployed."""

from pathlib import Path
from tempfile import TemporaryDirectory

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3_assets as s3_assets
from constructs import Construct

from api_explorer.bundle import bundle
from cdk_app import addresses, functions
from cdk_app.choices import Choices
from cdk_app.conditions import when
from cdk_app.logs import log_group

# Not the newest: whether China's regions have python3.14 is not documented. Both are supported as long.
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
RUNTIME = "python3.13"
MEMORY_MB = 256
TIMEOUT_SECONDS = 10


class ApiExplorer(Construct):
    """Function, role, log group and API Gateway's permission; all exist when it is switched on."""

    def __init__(self, scope: Construct, choices: Choices) -> None:
        super().__init__(scope, "Explorer")
        logs = log_group(self, "LogGroup", choices)
        role = functions.function_role(self, "What the API Explorer's function may do", logs)
        code = self._code()
        function = lambda_.CfnFunction(
            self,
            "Function",
            description="The API Explorer of Image Similarity",
            runtime=RUNTIME,
            handler="handler.handler",
            code=lambda_.CfnFunction.CodeProperty(s3_bucket=code.s3_bucket_name, s3_key=code.s3_object_key),
            role=role.attr_arn,
            memory_size=MEMORY_MB,
            timeout=TIMEOUT_SECONDS,
            environment=lambda_.CfnFunction.EnvironmentProperty(variables=_deployed(choices)),
            logging_config=functions.json_logs(logs),
            tracing_config=functions.traced(choices.conditions),
        )
        code.add_resource_metadata(function, "Code")
        self.permission = functions.invoke_permission(
            self, function, addresses.execute_arn("GET/api-explorer*")
        )
        self.integration = functions.proxy_integration(function)
        when(choices.conditions.has_explorer, self)

    def _code(self) -> s3_assets.Asset:
        """The zip's content, gathered without a container; the CDK copies it while the folder exists."""
        with TemporaryDirectory() as folder:
            bundle(Path(folder))
            return s3_assets.Asset(self, "Code", path=folder)


def _deployed(choices: Choices) -> dict[str, str]:
    """What the function gets to know about the deployment."""
    variables = {
        "AUTHORIZATION": choices.parameters["APIGatewayAuthorization"],
        "IMAGE_SIMILARITY": choices.parameters["ImageSimilarity"],
    }
    if choices.conditions.has_catalogue:
        variables |= {
            "CATALOGUE": choices.parameters["Catalogue"],
            "IMAGE_BUCKETS": choices.parameters["ImageBuckets"],
            "BUCKET_HOST": cdk.Fn.sub("s3.${AWS::Region}.${AWS::URLSuffix}"),
        }
    return variables
