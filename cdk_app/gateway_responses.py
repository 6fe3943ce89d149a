"""The answers that API Gateway gives by itself, in the API's error format.

https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
"""

import json

from cdk_app.conditions import Conditions, pick
from cdk_app.openapi import ANY_ORIGIN, RETRY_AFTER_SECONDS, Json, error

TOO_LARGE = (
    "The request body is too large; the limit is 5242880 bytes (5 MiB). Send a smaller image, or its URL."
)


def gateway_responses(source: Json, conditions: Conditions) -> Json:
    """Every answer that API Gateway gives by itself, in the contract's shape, readable by any page."""
    forbidden, busy = error(source, "Forbidden"), error(source, "TooManyRequests")
    broken, late = error(source, "BadGateway"), error(source, "Timeout")
    own_words = forbidden | {"message": None}
    return {
        "ACCESS_DENIED": _response(own_words),
        "EXPIRED_TOKEN": _response(own_words),
        "INVALID_SIGNATURE": _response(own_words),
        "MISSING_AUTHENTICATION_TOKEN": _response(forbidden),
        "RESOURCE_NOT_FOUND": _response(forbidden, "403"),
        "WAF_FILTERED": _response(forbidden),
        "REQUEST_TOO_LARGE": _response({"code": "PayloadTooLarge", "message": TOO_LARGE}),
        "THROTTLED": _response(busy, retry=True),
        "QUOTA_EXCEEDED": _response(busy),
        "API_CONFIGURATION_ERROR": _configuration_error(source, conditions),
        "INTEGRATION_FAILURE": _response(broken, "502"),
        "INTEGRATION_TIMEOUT": _response(late),
        "DEFAULT_4XX": _response({"code": "InvalidRequest", "message": None}),
        "DEFAULT_5XX": _response(broken, "502"),
    }


def _configuration_error(source: Json, conditions: Conditions) -> Json:
    """Where Lambda runs the feature or the catalogue: 503, as this is what a throttled function comes to.

    API Gateway answers Lambda's 429 with a 500 of its own and does not pass on why; of the types of
    responses that are 500 this is the one for integrations. A stack whose integration is wrong would say
    503 too, but this template's are tested.
    https://repost.aws/questions/QUfI6bsdd0SOiPeyimzxSkfQ
    """
    defect = _response(error(source, "InternalError"))
    if "Lambda" not in conditions.backends:
        return defect
    busy = _response(error(source, "Unavailable"), "503", retry=True)
    if conditions.has_catalogue and len(conditions.backends) > 1:
        defect = pick(conditions["IsCatalogueServing"], busy, defect)
    return pick(conditions["IsLambda"], busy, defect)


def _response(said: Json, status: str | None = None, *, retry: bool = False) -> Json:
    """One gateway response.

    Args:
        said: code and message; message None passes on API Gateway's own words, which tell the reason best.
        status: the contract's status where API Gateway's own differs.
        retry: whether the response says when to try again.
    """
    headers = {"Access-Control-Allow-Origin": ANY_ORIGIN}
    if retry:
        headers |= {
            "Retry-After": f"'{RETRY_AFTER_SECONDS}'",
            "Access-Control-Expose-Headers": "'Retry-After'",
        }
    # messageString is quoted already
    message = "$context.error.messageString" if said["message"] is None else json.dumps(said["message"])
    template = f'{{"code":"{said["code"]}","message":{message},"requestId":"$context.requestId"}}'
    return {
        **({"statusCode": status} if status else {}),
        "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in headers.items()},
        "responseTemplates": {"application/json": template},
    }
