"""Answers that API Gateway makes by itself, in the shape of the deployment's gateway responses.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gatewayResponse-definition.html
"""

import json

from local.gateway.mappings import substitute
from local.gateway.messages import Incoming, Outcome, Refusal
from local.gateway.snapshot import GatewayResponse

ERROR_TYPES = {
    "ACCESS_DENIED": "AccessDeniedException",
    "BAD_REQUEST_PARAMETERS": "BadRequestException",
    "EXPIRED_TOKEN": "ExpiredTokenException",
    "INTEGRATION_TIMEOUT": "InternalServerErrorException",
    "INVALID_SIGNATURE": "InvalidSignatureException",
    "MISSING_AUTHENTICATION_TOKEN": "MissingAuthenticationTokenException",
    "REQUEST_TOO_LARGE": "RequestTooLargeException",
    "THROTTLED": "TooManyRequestsException",
    "UNSUPPORTED_MEDIA_TYPE": "UnsupportedMediaTypeException",
}
UNDEFINED = GatewayResponse(None, {}, {"application/json": '{"message":$context.error.messageString}'})


def refused(refusal: Refusal, incoming: Incoming) -> Outcome:
    """Shape a refusal: by its own type, else by DEFAULT_4XX or DEFAULT_5XX, else as API Gateway does."""
    responses = incoming.stage.snapshot.gateway_responses
    default = "DEFAULT_4XX" if refusal.status < 500 else "DEFAULT_5XX"
    response = responses.get(refusal.kind) or responses.get(default) or UNDEFINED
    error = {
        "message": refusal.message,
        "messageString": json.dumps(refusal.message),
        "responseType": refusal.kind,
    }
    media_type, template = next(iter((response.templates or UNDEFINED.templates).items()))
    headers = [
        ("Content-Type", media_type),
        ("x-amzn-ErrorType", ERROR_TYPES.get(refusal.kind, "InternalServerErrorException")),
    ]
    headers += response.headers.items()
    body = substitute(template, {**incoming.context(None), "error": error})
    return Outcome(response.status or refusal.status, headers, body.encode())
