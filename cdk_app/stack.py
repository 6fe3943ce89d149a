"""The stack: puts the parts together and tells what they are called."""

import aws_cdk as cdk
from constructs import Construct, IDependable

from cdk_app import gateway_body, sagemaker_integration
from cdk_app.api_explorer import ApiExplorer
from cdk_app.conditions import Conditions, pick
from cdk_app.config import DeploymentConfig
from cdk_app.images import model_name
from cdk_app.lambda_backend import LambdaBackend
from cdk_app.logs import log_group
from cdk_app.observability import Observability
from cdk_app.parameters import Parameters
from cdk_app.rest_api import RestApi
from cdk_app.sagemaker_backend import SageMakerBackend

# Constructs that only group: their name is no part of a logical id.
GROUPS = {"Parameters", "Conditions", "Outputs", "Api", "Observability"}


class ImageSimilarityStack(cdk.Stack):
    """The solution: one API, two backends to choose from, an Explorer; switched by parameters."""

    def __init__(self, scope: Construct, config: DeploymentConfig) -> None:
        super().__init__(
            scope,
            "ImageSimilarity",
            description="Image Similarity: vectors and similarity of images on Lambda or SageMaker",
            # The CLI checks the bootstrap version; a parameter for it would only puzzle in the console.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            analytics_reporting=False,
            tags={"Solution": "image-similarity"},
        )
        self._config = config
        self.parameters = Parameters(self, config)
        self.conditions = Conditions(self, self.parameters, config)
        self.template_options.metadata = {"AWS::CloudFormation::Interface": self.parameters.interface()}
        self.api = RestApi(self, parameters=self.parameters, conditions=self.conditions)
        self.explorer = ApiExplorer(
            self, api=self.api, parameters=self.parameters, conditions=self.conditions
        )
        self.lambda_backend = self._lambda_backend() if "Lambda" in self.conditions.backends else None
        self.sagemaker_backend = (
            self._sagemaker_backend() if "SageMaker" in self.conditions.backends else None
        )
        self._deploy()
        self._observe()
        self._outputs()

    def _allocate_logical_id(self, cfn_element: cdk.CfnElement) -> str:
        """Readable logical ids: the construct path without the groups, and without the CDK's hash."""
        parts = cfn_element.node.path.split("/")[1:]
        return "".join(part for part in parts if part not in GROUPS)

    def _lambda_backend(self) -> LambdaBackend:
        return LambdaBackend(
            self, api=self.api, parameters=self.parameters, conditions=self.conditions, config=self._config
        )

    def _sagemaker_backend(self) -> SageMakerBackend:
        return SageMakerBackend(
            self, parameters=self.parameters, conditions=self.conditions, config=self._config
        )

    def _deploy(self) -> None:
        """Give the API its routes, and the stage what changes without a new deployment."""
        feature, variables = {}, None
        invokable: dict[str, IDependable] = {"Explorer": self.explorer.permission}
        if self.lambda_backend:
            feature["Lambda"] = self.lambda_backend.integration()
            invokable["Lambda"] = self.lambda_backend.permission
        if self.sagemaker_backend:
            role = self.sagemaker_backend.invoke_role.attr_arn
            feature["SageMaker"] = sagemaker_integration.integration(role, model_name(self._config))
            endpoint = {"endpoint": self.sagemaker_backend.endpoint_name}
            variables = pick(self.conditions["IsSageMaker"], endpoint)
        logs = log_group(self, "AccessLogGroup", self.parameters)
        logs.cfn_options.condition = self.conditions.has_access_logs
        self.api.deploy(
            gateway_body.build(
                self.conditions,
                title=self.api.name,
                feature=feature,
                explorer=self.explorer.integration(),
            ),
            invokable=invokable,
            variables=variables,
        )

    def _observe(self) -> None:
        backends = {"Lambda": self.lambda_backend, "SageMaker": self.sagemaker_backend}
        Observability(
            self,
            api=self.api,
            parameters=self.parameters,
            conditions=self.conditions,
            backends={name: backend for name, backend in backends.items() if backend},
        )

    def _outputs(self) -> None:
        group = Construct(self, "Outputs")

        def output(name: str, value: str, description: str, condition: cdk.CfnCondition) -> None:
            cdk.CfnOutput(group, name, value=value, description=description, condition=condition)

        on, explorer = self.conditions.is_on, self.conditions.has_explorer
        output("ImageSimilarity", self.api.url("image-similarity"), "Where to POST images", on)
        output("APIExplorer", self.api.url("api-explorer"), "The API's page, for the browser", explorer)
        arn = self.api.execute_arn("POST/image-similarity", stage="${Stage}")
        output("ImageSimilarityInvokeArn", arn, "What a caller's policy allows execute-api:Invoke on", on)
        if self.sagemaker_backend:
            endpoint = self.sagemaker_backend.endpoint_name
            output(
                "SageMakerEndpointName",
                endpoint,
                "The endpoint behind the API",
                self.conditions["IsSageMaker"],
            )
