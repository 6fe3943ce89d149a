"""The REST API: its body, one Deployment for each combination of the body's axes, and the stage that picks.

A Deployment is a snapshot that CloudFormation never renews by itself. docs/adr tells why there is one for
each combination, and which rules keep a parameter change live at once, never open and never stale.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from constructs import Construct, IDependable

from cdk_app import iam
from cdk_app.conditions import Combination, Conditions, pick
from cdk_app.parameters import Parameters

COMPRESS_FROM_BYTES = 1024
HASH_LENGTH = 8


class RestApi(Construct):
    """The API, its deployments and its stage."""

    def __init__(self, scope: Construct, *, parameters: Parameters, conditions: Conditions) -> None:
        super().__init__(scope, "Api")
        self._parameters, self._conditions = parameters, conditions
        self.name = cdk.Aws.STACK_NAME
        self._api = apigateway.CfnRestApi(
            self,
            "RestApi",
            name=self.name,
            description="Vectors and similarity of images",
            endpoint_configuration=apigateway.CfnRestApi.EndpointConfigurationProperty(types=["REGIONAL"]),
            minimum_compression_size=COMPRESS_FROM_BYTES,
        )
        self.id = self._api.ref
        self.stage_name = parameters["APIGatewayStageName"]

    def execute_arn(self, path: str, stage: str = "*") -> str:
        """The ARN of a method, as permissions and callers' policies name it; no resource id, they change."""
        region = "${AWS::Region}:${AWS::AccountId}"
        return cdk.Fn.sub(f"arn:${{AWS::Partition}}:execute-api:{region}:${{RestApi}}/{stage}/{path}")

    def url(self, path: str) -> str:
        """The public URL of a path; it exists once the stage does."""
        host = "${RestApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
        return cdk.Fn.sub(f"https://{host}/${{Stage}}/{path}")

    def deploy(
        self,
        body: Mapping[str, Any],
        *,
        invokable: Mapping[str, IDependable],
        variables: object,
    ) -> None:
        """Give the API its body and make it live.

        Args:
            body: the OpenAPI body.
            invokable: backend name (or `Explorer`) -> what must exist before a route to it is served.
            variables: the stage variables; values that no Deployment has to change for.
        """
        self._api.body = body
        resolved = json.dumps(cdk.Stack.of(self).resolve(body), sort_keys=True)
        fingerprint = hashlib.sha256(resolved.encode()).hexdigest()[:HASH_LENGTH]
        deployments = {
            combination: self._deployment(combination, fingerprint, invokable)
            for combination in self._conditions.combinations()
        }
        self.stage = self._stage(self._live(deployments), variables)

    def _deployment(
        self, combination: Combination, fingerprint: str, invokable: Mapping[str, IDependable]
    ) -> apigateway.CfnDeployment:
        """A snapshot of the body as this combination resolves it.

        The hash renews it with the template; it depends only on permissions that its condition implies.
        """
        deployment = apigateway.CfnDeployment(
            self,
            f"Deployment{combination.name}{fingerprint}",
            rest_api_id=self.id,
        )
        deployment.cfn_options.condition = self._conditions.of[combination]
        if combination.backend in invokable:
            deployment.node.add_dependency(invokable[combination.backend])
        if combination.explorer:
            deployment.node.add_dependency(invokable["Explorer"])
        return deployment

    def _live(self, deployments: Mapping[Combination, apigateway.CfnDeployment]) -> object:
        """The id of the one Deployment that exists, by nested Fn::If."""
        conditions = self._conditions

        def of(backend: str) -> object:
            def ref(*, signed: bool, explorer: bool) -> object:
                return {"Ref": deployments[Combination(backend, signed, explorer)].logical_id}

            return pick(
                conditions.is_signed,
                pick(
                    conditions.has_explorer, ref(signed=True, explorer=True), ref(signed=True, explorer=False)
                ),
                pick(
                    conditions.has_explorer,
                    ref(signed=False, explorer=True),
                    ref(signed=False, explorer=False),
                ),
            )

        live = of("Off")
        for backend in conditions.backends:
            live = pick(conditions[f"Is{backend}"], of(backend), live)
        return live

    def _stage(self, deployment: object, variables: object) -> apigateway.CfnStage:
        """The stage; all that is live without a new Deployment is set here."""
        logging = self._conditions.has_access_logs
        destination = iam.arn("logs:log-group:${AccessLogGroup}")  # without the ":*" of its Arn
        settings = apigateway.CfnStage.MethodSettingProperty(
            http_method="*",
            resource_path="/*",
            throttling_rate_limit=self._parameters.number("ThrottlingRateLimit"),
            throttling_burst_limit=self._parameters.number("ThrottlingBurstLimit"),
            metrics_enabled=cdk.Token.as_any(pick(logging, then=True, otherwise=False)),
            # Execution logs tell what callers send, in a log group that would outlive the stack.
            logging_level="OFF",
            data_trace_enabled=False,
        )
        access = {"DestinationArn": destination, "Format": ACCESS_LOG_FORMAT}
        stage = apigateway.CfnStage(
            self,
            "Stage",
            rest_api_id=self.id,
            stage_name=self.stage_name,
            deployment_id=cdk.Token.as_string(deployment),
            method_settings=[settings],
            access_log_setting=cdk.Token.as_any(pick(logging, access)),
            tracing_enabled=True,
        )
        # jsii mistakes a token for a map here and would write its own handle into the template.
        stage.add_property_override("Variables", variables)
        return stage


# No query string, no body, no header: access logs tell who called which route, and how it went.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
ACCESS_LOG_FORMAT = json.dumps(
    {
        "requestId": "$context.requestId",
        "time": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "caller": "$context.identity.userArn",
        "method": "$context.httpMethod",
        "path": "$context.resourcePath",
        "status": "$context.status",
        "latency": "$context.responseLatency",
        "backendStatus": "$context.integration.status",
        "backendLatency": "$context.integration.latency",
        "bytes": "$context.responseLength",
        "error": "$context.error.responseType",
        "traceId": "$context.xrayTraceId",
    },
    separators=(",", ":"),
)
