"""SageMaker hosting on this machine: the real serving process, and InvokeEndpoint's rules around it.

Source: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.backends.functions import BackendFailed
from local.backends.processes import Process, free_port
from local.backends.protocols import ENDPOINT_HEADERS, EndpointAnswer

CONTAINER_SECONDS = 60.0  # SageMaker's limit for one answer of a container
START_SECONDS = 180.0


@dataclass(frozen=True)
class EndpointSpec:
    """An endpoint with one variant of one container."""

    name: str
    environment: Mapping[str, str]


class LocalEndpoints:
    """InvokeEndpoint over serving processes."""

    def __init__(self, root: Path, environment: Mapping[str, str], logs: Path) -> None:
        self._root = root
        self._environment = environment
        self._logs = logs
        self._ports: dict[str, int] = {}
        self._hosted: dict[str, tuple[EndpointSpec, Process]] = {}
        self._client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))

    def start(self, spec: EndpointSpec) -> None:
        """Start the serving process and wait until /ping answers 200. Raises BackendFailed."""
        port = free_port()
        self.register(spec.name, port)
        _wait_for_ping(self._host(spec), port)

    def _host(self, spec: EndpointSpec) -> Process:
        port = str(self._ports[spec.name])
        process = Process(
            [sys.executable, "-m", "sagemaker.server", "serve"],
            environment={**self._environment, **spec.environment, "SAGEMAKER_BIND_TO_PORT": port},
            directory=self._root,
            log=self._logs / f"{spec.name}.log",
        )
        self._hosted[spec.name] = (spec, process)
        return process

    def _replace_ended(self, name: str) -> None:
        """Start a process that has ended again, as SageMaker does; calls fail until it listens."""
        if name in self._hosted:
            spec, process = self._hosted[name]
            if not process.running:
                self._host(spec)

    def register(self, name: str, port: int) -> None:
        """Let an endpoint's name stand for a container that listens on a loopback port."""
        self._ports[name] = port

    def warm(self, name: str, payload: bytes) -> bytes:
        """Return the answer to one invocation, before the event loop runs. Raises BackendFailed."""
        url = f"http://127.0.0.1:{self._ports[name]}/invocations"
        headers = {"Content-Type": "application/json"}
        answer = httpx.post(url, content=payload, headers=headers, timeout=CONTAINER_SECONDS, trust_env=False)
        if answer.status_code != 200:
            raise BackendFailed(f"Endpoint {name} answered {answer.status_code}: {answer.text[:500]}")
        return answer.content

    async def invoke(self, name: str, headers: Mapping[str, str], body: bytes) -> EndpointAnswer:
        """Invoke as the service does: a container's error comes as 424 with the original inside."""
        if name not in self._ports:
            message = f"Endpoint {name} of account 123456789012 not found."
            return _service_answer(400, {"Message": message})
        url = f"http://127.0.0.1:{self._ports[name]}/invocations"
        passed = {key: headers[key] for key in ENDPOINT_HEADERS if key in headers}
        try:
            answer = await self._client.post(url, content=body, headers=passed, timeout=CONTAINER_SECONDS)
        except httpx.TimeoutException:
            return _model_error(
                0, "Your invocation timed out while waiting for a response from container primary."
            )
        except httpx.HTTPError:
            self._replace_ended(name)
            return _model_error(500, "")
        if answer.is_success:
            kept = {key: answer.headers[key] for key in ENDPOINT_HEADERS if key in answer.headers}
            return EndpointAnswer(200, kept, answer.content)
        return _model_error(answer.status_code, answer.text)

    def stop(self) -> None:
        """End every serving process."""
        for _, process in self._hosted.values():
            process.stop()
        self._hosted.clear()
        self._ports.clear()


def _wait_for_ping(process: Process, port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.running:
        try:
            if httpx.get(f"http://127.0.0.1:{port}/ping", timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise BackendFailed(f"The serving process does not answer /ping:\n{process.tail()}")


def _model_error(status: int, text: str) -> EndpointAnswer:
    kind = "client" if 400 <= status < 500 else "server"
    message = f'Received {kind} error ({status}) from primary with message "{text}".'
    original = {"OriginalStatusCode": status, "OriginalMessage": text}
    code = "CLIENT_ERROR_FROM_MODEL" if kind == "client" else "INTERNAL_FAILURE_FROM_MODEL"
    return _service_answer(424, {"ErrorCode": code, "Message": message, **original})


def _service_answer(status: int, body: Mapping[str, object]) -> EndpointAnswer:
    return EndpointAnswer(status, {"Content-Type": "application/json"}, json.dumps(body).encode())
