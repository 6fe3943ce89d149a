"""The REST API: its body, and the stage, which points to the one Deployment that is live."""

import json
from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from cdk_app import addresses, deployments, iam
from cdk_app.backend import Backend
from cdk_app.choices import Choices
from cdk_app.conditions import pick
from cdk_app.logs import log_group
from cdk_app.openapi import Json

COMPRESS_FROM_BYTES = 1024
# What `auto` throttles to: where calls are signed, and where everyone may call at the owner's cost.
AUTO_RATE, AUTO_BURST = (50, 10), (100, 20)


class RestApi(Construct):
    """The API, its deployments, its stage, and the web ACL before it.

    Args:
        scope: the stack.
        choices: parameters, conditions and flags.
        title: the API's name.
        body: the OpenAPI body.
        backends: each whose image is built.
        permissions: what must exist before the routes of a backend, the Explorer or the catalogue are served.
    """

    def __init__(
        self,
        scope: Construct,
        choices: Choices,
        *,
        title: str,
        body: Json,
        backends: Sequence[Backend],
        permissions: deployments.Permissions,
    ) -> None:
        super().__init__(scope, "Api")
        self._choices, self._conditions = choices, choices.conditions
        snapshot: dict[str, Any] = {"body": body, "minimum_compression_size": COMPRESS_FROM_BYTES}
        api = apigateway.CfnRestApi(
            self,
            addresses.REST_API,
            name=title,
            description="Vectors and similarity of images",
            endpoint_configuration=apigateway.CfnRestApi.EndpointConfigurationProperty(types=["REGIONAL"]),
            **snapshot,
        )
        self._id = api.ref
        live = deployments.live(self, self._conditions, self._id, snapshot=snapshot, permissions=permissions)
        self.stage_name = self._stage(live, self._variables(backends)).ref
        self._web_acl()

    def _variables(self, backends: Sequence[Backend]) -> object:
        """The stage variables of the backend that runs."""
        chosen: object = None
        for backend in backends:
            if backend.variables:
                chosen = pick(self._conditions[f"Is{backend.name}"], backend.variables, chosen)
        return chosen

    def _stage(self, deployment: object, variables: object) -> apigateway.CfnStage:
        """The stage; all that is live without a new Deployment is set here."""
        logging, parameters = self._conditions.has_access_logs, self._choices.parameters
        logs = log_group(self, "AccessLogGroup", self._choices)
        logs.cfn_options.condition = logging
        destination = iam.arn("logs:log-group:${AccessLogGroup}")  # without the ":*" of its Arn
        rate, burst = throttles(self._choices)
        settings = apigateway.CfnStage.MethodSettingProperty(
            http_method="*",
            resource_path="/*",
            throttling_rate_limit=cdk.Token.as_number(rate),
            throttling_burst_limit=cdk.Token.as_number(burst),
            metrics_enabled=cdk.Token.as_any(pick(logging, then=True, otherwise=False)),
            # Execution logs tell what callers send, in a log group that would outlive the stack.
            logging_level="OFF",
            data_trace_enabled=False,
        )
        access = {"DestinationArn": destination, "Format": ACCESS_LOG_FORMAT}
        stage = apigateway.CfnStage(
            self,
            addresses.STAGE,
            rest_api_id=self._id,
            stage_name=parameters["APIGatewayStageName"],
            deployment_id=cdk.Token.as_string(deployment),
            method_settings=[settings],
            access_log_setting=cdk.Token.as_any(pick(logging, access)),
            tracing_enabled=True,
        )
        if variables is not None:
            # jsii mistakes a token for a map here and would write its own handle into the template.
            stage.add_property_override("Variables", variables)
        return stage

    def _web_acl(self) -> None:
        """The account's web ACL, if one is named; a stage of another name is another association."""
        association = wafv2.CfnWebACLAssociation(
            self,
            "WebAclAssociation",
            resource_arn=addresses.stage_arn(),
            web_acl_arn=self._choices.parameters["WebAclArn"],
        )
        association.cfn_options.condition = self._conditions.has_web_acl
        # A new association replaces the old one in WAF, or is another stage's. To delete the old one then
        # might take away the new: what is deleted is the stage's association, whichever that is.
        association.cfn_options.update_replace_policy = cdk.CfnDeletionPolicy.RETAIN
        association.cfn_options.deletion_policy = cdk.CfnDeletionPolicy.DELETE


def throttles(choices: Choices) -> tuple[object, object]:
    """The rate (requests a second) and the burst (requests) that the stage takes."""
    conditions, parameters = choices.conditions, choices.parameters
    rate = pick(
        conditions.auto_rate, pick(conditions.is_signed, *AUTO_RATE), parameters["ThrottlingRateLimit"]
    )
    burst = pick(
        conditions.auto_burst, pick(conditions.is_signed, *AUTO_BURST), parameters["ThrottlingBurstLimit"]
    )
    return rate, burst


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
