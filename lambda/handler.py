"""The Lambda adapter: a proxy event of an API Gateway REST API in, its proxy response out.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
"""

import base64
import logging
import math
import os
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any

from image_similarity.inference.decoders import processes

decoder = processes.start()  # before the imports below: it forks, and they start threads

from image_similarity.inference import runtime
from image_similarity.inference.errors import InternalError, InvalidRequest, StartError
from image_similarity.inference.service import INTERNAL_ERROR_MESSAGE, Request, Response, load_service
from image_similarity.inference.telemetry import JsonFormatter, ObservedService

CPU_MEGABYTES = 1769  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html


def encoder_threads(environ: Mapping[str, str]) -> int:
    """Threads for one embedding: the CPUs that the memory buys; 0.15 of one is too little for another."""
    return max(1, math.ceil(int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "0")) / CPU_MEGABYTES - 0.15))


runtime.prepare(JsonFormatter())
# At import: in Lambda's init phase, before the first request waits; on demand, it waits already.
warm = os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "on-demand"
load = partial(load_service, os.environ, threads=encoder_threads(os.environ), decoder=decoder, warm=warm)
try:
    service = ObservedService("lambda", os.environ, load)
except StartError as error:
    sys.exit(error.sentence)


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Answer one event. A defect is a logged 500 too: Lambda would hand its stack trace to the caller."""
    try:
        response = _response(event)
    except Exception:
        logging.getLogger(__name__).exception("the event could not be read")
        response = service.refuse(InternalError(INTERNAL_ERROR_MESSAGE), None)
    proxied = {"statusCode": response.status, "headers": response.headers, "body": response.body.decode()}
    return proxied | {"isBase64Encoded": False}


def _response(event: Mapping[str, Any]) -> Response:
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
