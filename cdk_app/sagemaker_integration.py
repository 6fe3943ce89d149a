"""How API Gateway calls the SageMaker endpoint and turns SageMaker's answer into the container's.

SageMaker answers 424 with the container's status and body inside whenever the container's status is no 2xx:
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
"""

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk

from api_explorer.document import document
from cdk_app.gateway_body import EXPOSED, mapped
from cdk_app.openapi import ANY_ORIGIN, RETRY_AFTER_SECONDS, error_template

CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
# Velocity, kept to what every implementation of it knows: it may evaluate both sides of &&, and the
# status is set once (a second assignment is answered 500). A container that died left no error of ours: 502.
CONTAINER_ERROR = """\
#set($failure = $input.path('$'))
#set($status = 502)
#if($failure.OriginalStatusCode && $failure.OriginalMessage)
#if($failure.OriginalStatusCode >= 400 && $failure.OriginalMessage.startsWith('{"code":'))
#if($failure.OriginalStatusCode < 600)
#set($status = $failure.OriginalStatusCode)
#set($body = $failure.OriginalMessage)
#end
#end
#end
#set($context.responseOverride.status = $status)
#if($status == 503)
#set($context.responseOverride.header.Retry-After = "%s")
#end
#if($body)
$body
#else
%s
#end
"""


def integration(role_arn: str, model: str) -> dict[str, Any]:
    """The integration.

    Args:
        role_arn: the role that API Gateway assumes.
        model: what X-Model says; the container's own header does not come through SageMaker.

    Returns:
        An `aws` integration. The endpoint's name is a stage variable, so that a new one needs no Deployment;
        the request's id goes in, and the container's timings come out, by SageMaker's one free header.
    """
    uri = "arn:${AWS::Partition}:apigateway:${AWS::Region}:runtime.sagemaker:path"
    return {
        "type": "aws",
        "httpMethod": "POST",
        "uri": cdk.Fn.sub(f"{uri}//endpoints/${{!stageVariables.endpoint}}/invocations"),
        "credentials": role_arn,
        "requestParameters": {
            "integration.request.header.Content-Type": "method.request.header.Content-Type",
            f"integration.request.header.{CUSTOM_ATTRIBUTES}": "context.requestId",
        },
        "responses": _responses(
            {
                "Access-Control-Allow-Origin": ANY_ORIGIN,
                "Access-Control-Expose-Headers": EXPOSED,
                "X-Request-Id": "context.requestId",
                "X-Model": f"'{model}'",
            }
        ),
    }


def _responses(headers: Mapping[str, str]) -> dict[str, Any]:
    """SageMaker's statuses by pattern, no two of which match the same one."""
    source = document()
    timing = {"Server-Timing": f"integration.response.header.{CUSTOM_ATTRIBUTES}"}
    retry = {"Retry-After": f"'{RETRY_AFTER_SECONDS}'"}
    container_error = CONTAINER_ERROR % (RETRY_AFTER_SECONDS, error_template(source, "BadGateway"))
    return {
        "default": {"statusCode": "200", "responseParameters": mapped({**headers, **timing})},
        "424": _failure("502", headers, container_error),
        "429|503": _failure("503", {**headers, **retry}, error_template(source, "Unavailable")),
        # every other 4xx and 5xx; written without lookahead
        r"4[013-9]\d|42[0-35-8]|50[0-24-9]|5[1-9]\d": _failure(
            "502", headers, error_template(source, "BadGateway")
        ),
    }


def _failure(status: str, headers: Mapping[str, str], template: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "responseParameters": mapped(headers),
        "responseTemplates": {"application/json": template},
    }
