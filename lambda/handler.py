"""The Lambda adapter: a proxy event of an API Gateway REST API in, its proxy response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import logging
import os
from collections.abc import Mapping
from functools import partial
from typing import Any

from inference.errors import InternalError
from inference.service import INTERNAL_ERROR_MESSAGE, Request, Response, load_service
from inference.telemetry import ObservedService, configure_logging

MEGABYTES_OF_ONE_CPU = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
logger = logging.getLogger(__name__)


def encoder_threads(environ: Mapping[str, str]) -> int:
    """Threads for one embedding: as many as the function's memory buys CPUs, at least one."""
    return max(1, round(int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")) / MEGABYTES_OF_ONE_CPU))


configure_logging()
# At import: in Lambda's init phase, before the first request waits; on demand, it waits already.
warm = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "on-demand"
load = partial(load_service, os.environ, threads=encoder_threads(os.environ), warm=warm)
service = ObservedService("lambda", os.environ, load)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one event. A defect is a logged 500 too: Lambda would hand its stack trace to the caller."""
    try:
        response = service.handle(_request(event))
    except Exception:
        logger.exception("the event could not be read")
        response = service.refuse(InternalError(INTERNAL_ERROR_MESSAGE), None)
    return _proxy_response(response)


def _request(event: Mapping[str, Any]) -> Request:
    # Of a header sent more than once, `headers` has the last value, as here.
    headers = {name.lower(): values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
    headers |= {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    text = event.get("body") or ""
    # A lone surrogate passes as bytes that are not UTF-8, which the service refuses with a sentence.
    body = base64.b64decode(text) if event.get("isBase64Encoded") else text.encode("utf-8", "surrogatepass")
    return Request(headers, body, (event.get("requestContext") or {}).get("requestId"))


def _proxy_response(response: Response) -> dict[str, Any]:
    text = response.body.decode()
    return {
        "statusCode": response.status,
        "headers": response.headers,
        "body": text,
        "isBase64Encoded": False,
    }
