"""Facts of the contract that must stand in several places, because those places may not import each other."""

import math
import re
from pathlib import Path
from typing import Any

from api_explorer.document import document
from cdk_app import alarms, gateway_body, gateway_responses, sagemaker_integration
from image_similarity.inference import telemetry
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.service import CORS_HEADERS, INTERNAL_ERROR_MESSAGE
from local.backends.protocols import ENDPOINT_HEADERS
from sagemaker import server, workers

ROOT = Path(__file__).parents[2]
DOCUMENT = document()


def described(code: str) -> str:
    """The message that the OpenAPI document gives for a code."""
    response: dict[str, Any] = DOCUMENT["components"]["responses"][code]
    message: str = response["content"]["application/json"]["examples"][code]["value"]["message"]
    return message


def test_the_limit_of_a_body() -> None:
    assert DOCUMENT["components"]["schemas"]["Base64Image"]["maxLength"] == MAX_BODY_BYTES
    assert f"{MAX_BODY_BYTES} bytes" in gateway_responses.TOO_LARGE
    assert f"the limit is {MAX_BODY_BYTES}" in described("PayloadTooLarge")
    script = (ROOT / "api_explorer/page/caller.js").read_text("utf-8")
    factors = re.findall(r"^const MAX_BODY_BYTES = ([\d *]+);$", script, re.MULTILINE)
    assert [math.prod(map(int, product.split("*"))) for product in factors] == [MAX_BODY_BYTES]


def test_the_headers_that_a_page_may_read() -> None:
    exposed = gateway_body.EXPOSED.strip("'")  # a constant in the mapping language of API Gateway
    assert exposed == CORS_HEADERS["Access-Control-Expose-Headers"]


def test_the_header_that_sagemaker_passes_on() -> None:
    assert sagemaker_integration.CUSTOM_ATTRIBUTES.lower() == server.CUSTOM_ATTRIBUTES
    assert sagemaker_integration.CUSTOM_ATTRIBUTES in ENDPOINT_HEADERS


def test_the_namespace_of_the_metrics() -> None:
    assert alarms.NAMESPACE == telemetry.NAMESPACE


def test_messages_of_errors_that_no_request_brings_about() -> None:
    assert described("InternalError") == INTERNAL_ERROR_MESSAGE
    assert described("Unavailable") == workers.BUSY
