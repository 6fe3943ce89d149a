"""Requests that schemathesis makes of the OpenAPI document, right and wrong, through the local gateway."""

import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import CheckContext, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api_explorer.document import FEATURES, document
from tests.conftest import LocalStack

SCHEMA = schemathesis.openapi.from_dict(document(FEATURES))
# All but positive_data_acceptance: text that looks like base64 is seldom an image.
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance]
CHECKS += [response_headers_conformance, response_schema_conformance]
EXAMPLES = 40
CATALOGUE = "APIExplorer=no Catalogue=yes ImageBuckets=photos"
WEB_HOST = re.compile(r"^(https?://)[^/?#\\]*", re.IGNORECASE)


def at_home(body: Any) -> Any:
    """No generated name is ever looked up: web addresses point at this machine, which is refused."""
    match body:
        case dict():
            return {name: at_home(value) for name, value in body.items()}
        case list():
            return [at_home(value) for value in body]
        case str():
            return WEB_HOST.sub(r"\g<1>127.0.0.1", body)
    return body


def what_is_wrong_is_refused(context: CheckContext, response: Response, case: schemathesis.Case[Any]) -> None:
    """With a 4xx; but what is wrong with one image of a batch is that image's error, in a 200."""
    results = response.json().get("results") if response.status_code == 200 else None
    if results is None:
        negative_data_rejection(context, response, case)
    else:
        assert any("error" in result for result in results)


def send_generated(origin: str, operation: Any, mode: GenerationMode) -> None:
    """Send what is generated of an operation of the document, and check the answers by it."""
    checks = [*CHECKS, what_is_wrong_is_refused] if mode is GenerationMode.NEGATIVE else CHECKS

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: schemathesis.Case[Any]) -> None:
        case.body = at_home(case.body)
        case.call_and_validate(base_url=f"{origin}/prod", checks=checks)

    send()


MODES = pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value
)


@MODES
@pytest.mark.parametrize("path", ["/image-similarity", "/text_similarity"])
@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_answers_are_as_documented(
    backend: str, path: str, mode: GenerationMode, local_stack: LocalStack
) -> None:
    origin = local_stack(f"ImageSimilarity={backend} APIExplorer=no")
    send_generated(origin, SCHEMA[path]["POST"], mode)


@MODES
def test_answers_of_a_search_are_as_documented(mode: GenerationMode, local_stack: LocalStack) -> None:
    send_generated(local_stack(CATALOGUE), SCHEMA["/catalogue/search"]["POST"], mode)


@pytest.mark.parametrize(("path", "method"), [("/catalogue/sync", "POST"), ("/catalogue", "GET")])
def test_answers_of_a_catalogue_are_as_documented(path: str, method: str, local_stack: LocalStack) -> None:
    # Right ones alone: among the wrong ones are calls without a signature, which the local run takes.
    send_generated(local_stack(CATALOGUE), SCHEMA[path][method], GenerationMode.POSITIVE)
