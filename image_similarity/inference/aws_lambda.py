"""What the functions on AWS Lambda share: the proxy events of an API Gateway REST API.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from image_similarity.inference.errors import ApiError, InternalError, InvalidRequest
from image_similarity.inference.service import INTERNAL_ERROR_MESSAGE, Request, Response

logger = logging.getLogger(__name__)


class Answering(Protocol):
    """What answers requests."""

    def handle(self, request: Request) -> Response:
        """Answer a request; every failure is a response too."""

    def refuse(self, error: ApiError, request_id: str | None) -> Response:
        """The answer to a request that is turned away before it is handled."""


def answered(event: Mapping[str, Any], service: Answering) -> dict[str, Any]:
    """The proxy response to an event.

    A defect is a logged 500 too: Lambda would hand its stack trace to the caller.
    """
    try:
        response = _response(event, service)
    except Exception:
        logger.exception("the event could not be read")
        response = service.refuse(InternalError(INTERNAL_ERROR_MESSAGE), None)
    proxied = {"statusCode": response.status, "headers": response.headers, "body": response.body.decode()}
    return proxied | {"isBase64Encoded": False}


def _response(event: Mapping[str, Any], service: Answering) -> Response:
    # Of a header sent more than once, `headers` has the last value, as here.
    headers = {name.lower(): values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
    headers |= {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    request_id, text = (event.get("requestContext") or {}).get("requestId"), event.get("body") or ""
    try:
        # A lone surrogate passes as bytes that are not UTF-8, which the service refuses with a sentence.
        plain = text.encode("utf-8", "surrogatepass")
        body = base64.b64decode(plain, validate=True) if event.get("isBase64Encoded") else plain
    except ValueError:
        return service.refuse(InvalidRequest("The body is said to be base64, and is not."), request_id)
    return service.handle(Request(headers, body, request_id))
