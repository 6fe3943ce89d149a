"""The stack: puts the parts together and outputs their names."""

from collections.abc import Callable, Mapping, Sequence

import aws_cdk as cdk
from constructs import Construct

from cdk_app import addresses, gateway_body
from cdk_app.api_explorer import ApiExplorer
from cdk_app.backend import Backend, Output
from cdk_app.catalogue.construct import Catalogue
from cdk_app.choices import Choices
from cdk_app.conditions import Conditions
from cdk_app.config import DeploymentConfig
from cdk_app.deployments import Permissions
from cdk_app.lambda_backend import LambdaBackend
from cdk_app.observability import Observability
from cdk_app.parameters import Parameters
from cdk_app.rest_api import RestApi
from cdk_app.sagemaker_backend import SageMakerBackend

# Constructs that only group: their name is no part of a logical id.
GROUPS = {"Parameters", "Conditions", "Outputs", "Api", "Observability", "Serving"}
BACKENDS: Mapping[str, Callable[[Construct, Choices], Backend]] = {
    LambdaBackend.name: LambdaBackend,
    SageMakerBackend.name: SageMakerBackend,
}


class ImageSimilarityStack(cdk.Stack):
    """The solution: one API, two backends to choose from, an Explorer; switched by parameters."""

    def __init__(self, scope: Construct, config: DeploymentConfig) -> None:
        super().__init__(
            scope,
            "ImageSimilarity",
            description="Image Similarity: vectors and similarity of images on Lambda or SageMaker",
            # The CLI checks the bootstrap version; a parameter for it would only confuse in the console.
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            analytics_reporting=False,
            tags={"Solution": "image-similarity"},
        )
        parameters = Parameters(self, config)
        conditions = Conditions(self, parameters, config)
        choices = Choices(parameters, conditions, config)
        self.template_options.metadata = {"AWS::CloudFormation::Interface": parameters.interface()}
        explorer = ApiExplorer(self, choices)
        backends = [BACKENDS[name](self, choices) for name in conditions.backends]
        images = [backend.image_uri for backend in backends if isinstance(backend, LambdaBackend)]
        catalogue = Catalogue(self, choices, *images) if conditions.has_catalogue else None
        title = cdk.Aws.STACK_NAME
        body = gateway_body.build(
            conditions,
            title=title,
            feature={backend.name: backend.integration for backend in backends},
            explorer=explorer.integration,
            catalogue=catalogue.integration if catalogue else None,
        )
        permissions = Permissions(
            {backend.name: backend.permission for backend in backends if backend.permission},
            explorer.permission,
            catalogue.permission if catalogue else None,
        )
        api = RestApi(self, choices, title=title, body=body, backends=backends, permissions=permissions)
        Observability(self, choices, title=title, api=api, backends=backends, catalogue=catalogue)
        self._outputs(conditions, backends, catalogue)

    def _allocate_logical_id(self, cfn_element: cdk.CfnElement) -> str:
        """Readable logical ids: the construct path without the groups, and without the CDK's hash."""
        parts = cfn_element.node.path.split("/")[1:]
        return "".join(part for part in parts if part not in GROUPS)

    def _outputs(
        self, conditions: Conditions, backends: Sequence[Backend], catalogue: Catalogue | None
    ) -> None:
        group = Construct(self, "Outputs")

        def put(output: Output, condition: cdk.CfnCondition) -> None:
            cdk.CfnOutput(
                group,
                output.name,
                value=output.value,
                description=output.description,
                condition=condition,
            )

        page = Output("APIExplorer", addresses.url("api-explorer"), "The API Explorer, for the browser")
        arn = addresses.execute_arn("POST/image-similarity", stage=f"${{{addresses.STAGE}}}")
        allowed = "The resource for execute-api:Invoke in a caller's policy"
        put(
            Output("ImageSimilarity", addresses.url("image-similarity"), "Where to POST images"),
            conditions.is_on,
        )
        put(page, conditions.has_explorer)
        put(Output("ImageSimilarityInvokeArn", arn, allowed), conditions.is_on)
        for backend in backends:
            for output in backend.outputs:
                put(output, conditions[f"Is{backend.name}"])
        for condition, outputs in catalogue.outputs.items() if catalogue else ():
            for output in outputs:
                put(output, conditions[condition])
