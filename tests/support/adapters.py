"""The ways into the service, each as one function from a request to an answer."""

import base64
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import httpx

from image_similarity.inference.sources import s3
from tests.support.local_stack import running_stack
from tests.support.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 200  # a second or two, where nothing else is done
REQUEST_ID = "c0ffee00-1111-4222-8333-444455556666"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> dict[str, Any]:
        value = json.loads(self.content)
        assert isinstance(value, dict)
        return value


Call = Callable[[bytes, Mapping[str, str]], Answer]


def proxy_event(body: bytes, headers: Mapping[str, str]) -> dict[str, Any]:
    """The event that API Gateway makes from a request."""
    try:
        text, encoded = body.decode(), False
    except UnicodeDecodeError:
        text, encoded = base64.b64encode(body).decode(), True
    return {
        "resource": "/image-similarity",
        "path": "/image-similarity",
        "httpMethod": "POST",
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "requestContext": {"requestId": REQUEST_ID, "stage": "prod"},
        "body": text,
        "isBase64Encoded": encoded,
    }


def proxy_answer(response: Mapping[str, Any]) -> Answer:
    """The response that API Gateway makes from a handler's result."""
    return Answer(
        response["statusCode"],
        {name.lower(): value for name, value in response["headers"].items()},
        response["body"].encode(),
    )


@contextmanager
def lambda_handler(environment: Mapping[str, str]) -> Iterator[Call]:
    """The Lambda handler in this process, called with API Gateway proxy events."""
    spec = importlib.util.spec_from_file_location("lambda_handler", ROOT / "lambda" / "handler.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)

    def call(body: bytes, headers: Mapping[str, str]) -> Answer:
        return proxy_answer(module.handler(proxy_event(body, headers), None))

    with mock.patch.dict(os.environ, environment), fresh_s3_client():
        spec.loader.exec_module(module)
        yield call


@contextmanager
def fresh_s3_client() -> Iterator[None]:
    """A process keeps its S3 client: none may be left from another environment, or for one."""
    s3._make_client.cache_clear()
    try:
        yield
    finally:
        s3._make_client.cache_clear()


@contextmanager
def sagemaker_server(environment: Mapping[str, str]) -> Iterator[Call]:
    """The serving process of the SageMaker image, called at /invocations as SageMaker does."""
    port = free_port()
    command = [sys.executable, str(ROOT / "sagemaker" / "server.py")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SAGEMAKER_BIND_TO_PORT": str(port), **environment}
    process = subprocess.Popen(command, env=environment)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client:
            wait_until_ready(client, "/ping", process)

            def call(body: bytes, headers: Mapping[str, str]) -> Answer:
                response = client.post(
                    "/invocations",
                    content=body,
                    headers={**headers, "X-Amzn-SageMaker-Custom-Attributes": REQUEST_ID},
                )
                return Answer(response.status_code, dict(response.headers), response.content)

            yield call
    finally:
        process.terminate()
        process.wait(timeout=60)


@contextmanager
def gateway(backend: str, environment: Mapping[str, str]) -> Iterator[Call]:
    """The local stack as `make run` serves it, called as any client calls a deployed one."""
    parameters = f"ImageSimilarity={backend} ImageBuckets={environment['IMAGE_BUCKETS']}"
    with running_stack(parameters, environment) as run:
        yield url_call(f"{run.origin}/prod/image-similarity")


def url_call(url: str) -> Call:
    """Calls of a URL, as any client makes them."""

    def call(body: bytes, headers: Mapping[str, str]) -> Answer:
        response = httpx.post(url, content=body, headers=dict(headers), trust_env=False, timeout=60)
        return Answer(response.status_code, dict(response.headers), response.content)

    return call


def wait_until_ready(client: httpx.Client, path: str, process: subprocess.Popen[bytes]) -> None:
    """Wait for a 200; if the process ends first, that is an error at once."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended with {process.returncode}"
        try:
            if client.get(path).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"{path} was not ready in {READY_SECONDS} seconds")
