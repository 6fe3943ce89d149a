"""API Gateway on loopback: one stage served from its deployment's snapshot.

Limits and messages: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route as StarletteRoute

from local.gateway.compression import compressed, decompressed
from local.gateway.integrations import Integrations
from local.gateway.messages import Incoming, Outcome, Refusal
from local.gateway.refusals import refused
from local.gateway.signatures import AccessKey, SignedRequest, verify
from local.gateway.snapshot import LiveStage

MAX_REQUEST_BYTES = 10 * 1024 * 1024
ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]

logger = logging.getLogger("local.gateway.server")


class RequestTooLong(Exception):
    """The body is over API Gateway's own limit."""


def everyone(_: Incoming) -> None:
    """Admit every request: a local run throttles nobody."""


class Gateway:
    """Serves whatever stage `stage()` returns at the moment of a request; None where no stage exists.

    `admit` raises Refusal for a request that is on a route and authorized, but one too many.
    """

    def __init__(
        self,
        stage: Callable[[], LiveStage | None],
        integrations: Integrations,
        key: AccessKey | None = None,
        admit: Callable[[Incoming], None] = everyone,
    ) -> None:
        self._stage = stage
        self._integrations = integrations
        self._key = key
        self._admit = admit

    def application(self, healthy: Callable[[], bool]) -> Starlette:
        """Return the ASGI application, with GET /healthz beside the API."""

        async def healthz(_: Request) -> Response:
            ready = healthy()
            return JSONResponse({"status": "ok" if ready else "starting"}, 200 if ready else 503)

        return Starlette(
            routes=[
                StarletteRoute("/healthz", healthz, methods=["GET"]),
                StarletteRoute("/{path:path}", self._endpoint, methods=ALL_METHODS),
            ]
        )

    async def _endpoint(self, request: Request) -> Response:
        started = time.perf_counter()
        response = await self._serve(request)
        milliseconds = (time.perf_counter() - started) * 1000
        logger.info("%s %s %d %.0f ms", request.method, request.url.path, response.status_code, milliseconds)
        return response

    async def _serve(self, request: Request) -> Response:
        try:
            raw = await _body(request)
        except RequestTooLong:
            text = f"HTTP content length exceeded {MAX_REQUEST_BYTES} bytes."
            return PlainTextResponse(text, 413, {"Connection": "close"})
        stage = self._stage()
        path = request.scope["raw_path"].decode("ascii", "replace")
        _, _, rest = path.partition("/")
        name, _, below = rest.partition("/")
        if stage is not None and path == "/" and (led := await self._led(request, stage, raw)):
            return led
        if stage is None or name != stage.name:
            return JSONResponse({"message": "Forbidden"}, 403, {"x-amzn-ErrorType": "ForbiddenException"})
        incoming = _incoming(request, stage, f"/{below}", raw)
        try:
            outcome = await self._answer(request, incoming, raw, path)
        except Refusal as refusal:
            outcome = refused(refusal, incoming)
        return _response(incoming, compressed(incoming, outcome, stage.snapshot.minimum_compression_bytes))

    async def _led(self, request: Request, stage: LiveStage, raw: bytes) -> Response | None:
        """Where the root of the stage leads this caller, if anywhere.

        API Gateway refuses paths without a stage, and so does this server; but a person who opens the address
        alone is to find the page.
        """
        incoming = _incoming(request, stage, "/", raw)
        try:
            outcome = await self._answer(request, incoming, raw, "/")
        except Refusal:
            return None
        return _response(incoming, outcome) if 300 <= outcome.status < 400 else None

    async def _answer(self, request: Request, incoming: Incoming, raw: bytes, path: str) -> Outcome:
        match = incoming.stage.snapshot.route(incoming.method, incoming.path)
        if match is None:
            raise Refusal("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
        route, names = match
        if route.authorization == "AWS_IAM":
            if self._key is None:
                raise Refusal("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
            query = request.scope["query_string"].decode("ascii", "replace")
            verify(SignedRequest(incoming.method, path, query, incoming.headers, raw), self._key)
            incoming = replace(incoming, signed_by=self._key.key_id)
        self._admit(incoming)
        missing = sorted(name for name in route.required_headers if not incoming.header(name))
        if missing:
            text = f"Missing required request parameters: [{', '.join(missing)}]"
            raise Refusal("BAD_REQUEST_PARAMETERS", text)
        body = decompressed(raw, incoming.header("content-encoding"), MAX_REQUEST_BYTES)
        headers = [pair for pair in incoming.headers if pair[0].lower() != "content-encoding"]
        incoming = replace(incoming, body=body, headers=headers)
        # The backend goes on after a time-out, as it does on AWS: hence the shield.
        work = asyncio.ensure_future(self._integrations.call(incoming, route, names))
        try:
            return await asyncio.wait_for(asyncio.shield(work), route.integration.timeout_seconds)
        except TimeoutError as error:
            work.add_done_callback(lambda task: task.cancelled() or task.exception())
            raise Refusal("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error


async def _body(request: Request) -> bytes:
    """Return the whole body; RequestTooLong as soon as it is known to be over the limit."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > MAX_REQUEST_BYTES:
        raise RequestTooLong
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_REQUEST_BYTES:
            raise RequestTooLong
    return bytes(body)


def _incoming(request: Request, stage: LiveStage, path: str, raw: bytes) -> Incoming:
    query = request.scope["query_string"].decode("ascii", "replace")
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw]
    return Incoming(
        stage=stage,
        method=request.method,
        path=path,
        query=parse_qsl(query, keep_blank_values=True),
        headers=headers,
        body=raw,
        source_address=request.client.host if request.client else "",
    )


def _response(incoming: Incoming, outcome: Outcome) -> Response:
    response = Response(b"" if incoming.method == "HEAD" else outcome.body, outcome.status)
    for name, value in [*outcome.headers, ("x-amzn-RequestId", incoming.request_id)]:
        response.headers.append(name, value)
    return response
