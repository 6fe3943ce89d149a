"""The synthesized routes behind the local gateway, with a container that answers what a test asks for."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from local.backends.endpoints import LocalEndpoints
from local.gateway.integrations import Integrations
from local.gateway.openapi import live_stage
from local.gateway.permissions import Permissions
from local.gateway.server import Gateway
from local.gateway.stack_policies import StackPolicies
from local.template.resolve import resolve

ROOT = Path(__file__).resolve().parents[2]
SAGEMAKER = {"ImageSimilarity": "yes-sagemaker", "APIGatewayAuthorization": "NONE"}
CRASH, SLOW, STRAY = "crash", "slow", "stray"
CONTENT_TYPE = "content type"  # asks for the one that came


class Container(BaseHTTPRequestHandler):
    """A container that answers what the request's body asks for."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked == CRASH:
            self.close_connection = True
            return
        if asked == SLOW:
            time.sleep(3)
        if asked == CONTENT_TYPE:
            asked = self.headers["Content-Type"]
        body = (
            b"Internal Server Error" if asked == STRAY else json.dumps(asked, separators=(",", ":")).encode()
        )
        status = (
            500
            if asked == STRAY
            else asked["status"]
            if isinstance(asked, dict) and "status" in asked
            else 200
        )
        if isinstance(asked, dict) and "error" in asked:
            error = {**asked["error"], "requestId": self.headers["X-Amzn-SageMaker-Custom-Attributes"]}
            body = json.dumps(error, separators=(",", ":")).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header(
            "X-Amzn-SageMaker-Custom-Attributes", "fetch;dur=0.1, decode;dur=2.0, encode;dur=3.0"
        )
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def container() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Container)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class NoFunctions:
    async def invoke(self, arn: str, payload: bytes) -> bytes:
        raise AssertionError(f"function {arn} was called")


def call(
    template: Mapping[str, Any],
    request: httpx.Request,
    tmp_path: Path,
    state: Mapping[str, str] = SAGEMAKER,
    seconds: float | None = None,
) -> httpx.Response:
    """The answer to one request, with the container registered as the endpoint that the stage names."""
    stack = resolve(template, state)
    stage, permissions = live_stage(stack), Permissions(StackPolicies(stack), stack.pseudo)
    if seconds is not None:
        routes = (
            replace(route, integration=replace(route.integration, timeout_seconds=seconds))
            for route in stage.snapshot.routes
        )
        stage = replace(stage, snapshot=replace(stage.snapshot, routes=tuple(routes)))
    endpoints = LocalEndpoints(ROOT, {}, tmp_path)

    async def send() -> httpx.Response:
        integrations = Integrations(NoFunctions(), endpoints, permissions)
        application = Gateway(lambda: stage, integrations).application(lambda: True)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(application)) as client:
            return await client.send(request)

    with container() as port:
        if "endpoint" in stage.variables and request.headers.get("x-test") != "no-endpoint":
            endpoints.register(stage.variables["endpoint"], port)
        return asyncio.run(send())
