"""What a caller sees if API Gateway may not make a call: a 500, whose reason only API Gateway's log names."""

import json
import logging

from local.backends.protocols import EndpointAnswer
from local.gateway.messages import Refusal
from local.gateway.permissions import API_GATEWAY, Permissions
from local.gateway.snapshot import LiveStage, Route

logger = logging.getLogger("local.guard")


def check_function(permissions: Permissions, function: str, stage: LiveStage, route: Route) -> None:
    """Raise Refusal (500) if the function's resource policy does not let the stage call it."""
    if not permissions.may_invoke_function(function, stage, route):
        raise _misconfigured("Invalid permissions on Lambda function")


def denied_endpoint(permissions: Permissions, role: str, endpoint: str) -> EndpointAnswer | None:
    """SageMaker's answer to a role that may not call the endpoint; Refusal (500) if it can't be assumed."""
    if not permissions.may_assume(API_GATEWAY, role):
        raise _misconfigured(f"API Gateway does not have permission to assume the provided role {role}")
    if permissions.may_invoke_endpoint(role, endpoint):
        return None
    message = f"User: {role} is not authorized to perform: sagemaker:InvokeEndpoint"
    return EndpointAnswer(
        403, {"Content-Type": "application/json"}, json.dumps({"Message": message}).encode()
    )


def _misconfigured(reason: str) -> Refusal:
    logger.error("Execution failed due to configuration error: %s", reason)
    return Refusal("API_CONFIGURATION_ERROR", "Internal server error")
