"""API Gateway on a loopback port: the account's stages, throttled, logged and measured as there."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

import uvicorn

from local.gateway.integrations import Integrations
from local.gateway.mappings import substitute
from local.gateway.messages import Incoming, Refusal
from local.gateway.server import Gateway
from local.gateway.signatures import AccessKey
from local.gateway.snapshot import LiveStage
from tests.cloudformation.providers import Cloud
from tests.verification.telemetry import Telemetry

Value = TypeVar("Value")
SECONDS_A_CALL = 0.001
"""What the throttle takes a call to last, so that no slow machine lets more of them pass."""


class Serving(Protocol):
    """What the server serves at the moment."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """An ASGI application."""


class Server:
    """A port of loopback in a thread; `serving` may be exchanged at any time."""

    def __init__(self) -> None:
        self.serving: Serving | None = None
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            self._application, log_config=None, access_log=False, lifespan="off", interface="asgi3"
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        while not self._server.started:
            time.sleep(0.01)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def wait_for(self, work: Coroutine[Any, Any, Value]) -> Value:
        """What comes of a coroutine on the server's loop, where backends are called; from another thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self._server.serve(sockets=[self._listener])

    async def _application(self, scope: Any, receive: Any, send: Any) -> None:
        assert self.serving is not None
        await self.serving(scope, receive, send)


class AccountGateway:
    """Serves what the account's stages point to."""

    def __init__(
        self, cloud: Cloud, integrations: Callable[[], Integrations], key: AccessKey, telemetry: Telemetry
    ) -> None:
        self._cloud, self._integrations = cloud, integrations
        self._key, self._telemetry = key, telemetry
        self._active = 0
        self._tokens: dict[str, tuple[tuple[float, int], float]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        name = scope["path"].split("/")[1]
        stage = next((stage for stage in self._cloud.stages() if stage.name == name), None)
        self._active += 1
        gateway = Gateway(lambda: stage, self._integrations(), self._key, self._admit)
        began, answered = time.perf_counter(), dict[str, Any]()

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                answered.update(message)
            await send(message)

        try:
            await gateway.application(lambda: True)(scope, receive, sent)
        finally:
            self._active -= 1
        if stage is not None:
            self._told(stage, scope, answered, (time.perf_counter() - began) * 1000)

    def _settings(self, stage: LiveStage) -> dict[str, Any]:
        client = self._cloud.client("apigateway")
        found: dict[str, Any] = client.get_stage(restApiId=stage.api_id, stageName=stage.name)
        return found

    def _admit(self, incoming: Incoming) -> None:
        """A token bucket with the stage's limits.

        https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html
        """
        found = self._settings(incoming.stage).get("methodSettings", {}).get("*/*", {})
        limits = (
            float(found.get("throttlingRateLimit", 10_000)),
            int(found.get("throttlingBurstLimit", 5_000)),
        )
        known, tokens = self._tokens.get(incoming.stage.name, (limits, float(limits[1])))
        if known != limits or self._active == 1:  # who calls one after the other never is too fast
            tokens = float(limits[1])
        tokens = min(limits[1], tokens + limits[0] * SECONDS_A_CALL)
        self._tokens[incoming.stage.name] = (limits, tokens - 1 if tokens >= 1 else tokens)
        if tokens < 1:
            raise Refusal("THROTTLED", "Too Many Requests")

    def _told(self, stage: LiveStage, scope: Any, answered: dict[str, Any], milliseconds: float) -> None:
        """API Gateway's own figures, and its access log."""
        title = self._cloud.apis[stage.api_id]["Name"]
        for name, value in (("Count", 1.0), ("Latency", milliseconds)):
            self._telemetry.value("AWS/ApiGateway", name, {"ApiName": title, "Stage": stage.name}, value)
        logging = self._settings(stage).get("accessLogSettings")
        if not logging:
            return
        headers = {name.decode().lower(): value.decode() for name, value in answered["headers"]}
        context = {
            "requestId": headers.get("x-amzn-requestid", ""),
            "httpMethod": scope["method"],
            "resourcePath": "/" + scope["path"].split("/", 2)[-1],
            "status": answered["status"],
            "responseLatency": round(milliseconds),
        }
        group = logging["destinationArn"].partition(":log-group:")[2].removesuffix(":*")
        self._telemetry.log(group, substitute(logging["format"], context))
