"""Lambda on this machine: each function is a pool of emulators that take one request at a time each."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from local.backends.processes import Process, free_port, listens
from local.backends.protocols import FunctionFailed

INVOKE = "/2015-03-31/functions/function/invocations"
START_SECONDS = 60.0
POLL_SECONDS = 0.02
SETTLE_SECONDS = 5.0


@dataclass(frozen=True)
class FunctionSpec:
    """A function as the template describes it, its code in a folder of this machine."""

    arn: str
    name: str
    directory: Path
    handler: str
    environment: Mapping[str, str]
    timeout_seconds: int
    memory_megabytes: int
    workers: int = 1


class BackendFailed(RuntimeError):
    """A backend did not start; the message has the end of its log."""


class _Worker:
    """One emulator and its runtime. The emulator crashes on concurrent calls: one at a time is a must."""

    def __init__(
        self, spec: FunctionSpec, binary: Path | None, environment: Mapping[str, str], log: Path
    ) -> None:
        self._spec = spec
        self._binary = binary
        self._environment = environment
        self._log = log
        self._process = self._start()

    def _start(self) -> Process:
        self.port, runtime_port = free_port(), free_port()
        address = f"127.0.0.1:{self.port}"
        python = sys.executable
        if self._binary is None:
            command = [python, "-m", "local.backends.bare_handler", self._spec.handler, str(self.port)]
        else:
            command = [str(self._binary), "--log-level", "info"]
            command += ["--runtime-interface-emulator-address", address]
            command += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
            command += [python, "-m", "awslambdaric", self._spec.handler]
        environment = {
            **self._environment,
            **self._spec.environment,
            "AWS_LAMBDA_FUNCTION_NAME": self._spec.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self._spec.memory_megabytes),
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(self._spec.timeout_seconds),
            "LAMBDA_TASK_ROOT": str(self._spec.directory),
        }
        return Process(command, environment=environment, directory=self._spec.directory, log=self._log)

    async def ready(self) -> None:
        """Start the emulator again where it died (its runtime it restarts by itself) and wait for it."""
        deadline = time.monotonic() + START_SECONDS
        revived = False
        while not self._process.running or not listens(self.port):
            if not self._process.running and not revived:
                self._process = self._start()
                revived = True
            elif not self._process.running or time.monotonic() > deadline:
                raise FunctionFailed(f"{self._spec.name} does not listen")
            await asyncio.sleep(POLL_SECONDS)

    async def settle(self) -> None:
        """Wait a moment for a process that broke off a call to be gone, so that nobody calls it again."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while self._process.running and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)

    def call(self, payload: bytes) -> bytes:
        """Invoke once at start, before the event loop runs. Raises BackendFailed."""
        try:
            asyncio.run(self.ready())
            timeout = START_SECONDS + self._spec.timeout_seconds
            answer = httpx.post(self.url, content=payload, timeout=timeout, trust_env=False)
        except (FunctionFailed, httpx.HTTPError) as error:
            raise BackendFailed(f"{self._spec.name} does not answer:\n{self._process.tail()}") from error
        if answer.status_code != 200 or b'"statusCode"' not in answer.content:
            raise BackendFailed(f"{self._spec.name} does not start:\n{self._process.tail()}")
        return answer.content

    @property
    def url(self) -> str:
        """Where the emulator takes invocations."""
        return f"http://127.0.0.1:{self.port}{INVOKE}"

    def stop(self) -> None:
        """End the emulator and its runtime."""
        self._process.stop()


class LocalFunctions:
    """Lambda's Invoke over pools of emulators; `binary` None runs the bare handlers."""

    def __init__(self, binary: Path | None, environment: Mapping[str, str], logs: Path) -> None:
        self._binary = binary
        self._environment = environment
        self._logs = logs
        self._workers: dict[str, list[_Worker]] = {}
        self._idle: dict[str, asyncio.Queue[_Worker]] = {}
        self._specs: dict[str, FunctionSpec] = {}
        self._client = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=None))

    def start(self, spec: FunctionSpec) -> None:
        """Start a function's workers; they initialize on their first request, as Lambda's do."""
        self._specs[spec.arn] = spec
        self._idle[spec.arn] = asyncio.Queue()
        logs = [self._logs / f"{spec.name}-{number}.log" for number in range(spec.workers)]
        self._workers[spec.arn] = [_Worker(spec, self._binary, self._environment, log) for log in logs]
        for worker in self._workers[spec.arn]:
            self._idle[spec.arn].put_nowait(worker)

    def warm(self, arn: str, payload: bytes) -> Sequence[bytes]:
        """Send every worker one request, all at once, and return the answers. Raises BackendFailed."""
        with ThreadPoolExecutor() as threads:
            return list(threads.map(lambda worker: worker.call(payload), self._workers[arn]))

    async def invoke(self, arn: str, payload: bytes) -> bytes:
        """Invoke on the first worker that is free. Raises FunctionFailed, KeyError for an unknown ARN."""
        idle = self._idle[arn]
        worker = await idle.get()
        try:
            answer = await self._post(worker, payload, self._specs[arn].timeout_seconds)
        except httpx.HTTPError as error:
            await worker.settle()
            raise FunctionFailed(str(error)) from error
        finally:
            idle.put_nowait(worker)
        if answer.status_code != 200:  # crashed, or could not be imported
            raise FunctionFailed(answer.text)
        return answer.content

    async def _post(self, worker: _Worker, payload: bytes, seconds: float) -> httpx.Response:
        await worker.ready()
        try:
            return await self._client.post(worker.url, content=payload, timeout=START_SECONDS + seconds)
        except httpx.ConnectError:  # it was just dying of the call before; this one was not sent
            await worker.ready()
            return await self._client.post(worker.url, content=payload, timeout=START_SECONDS + seconds)

    def stop(self) -> None:
        """End every worker."""
        for workers in self._workers.values():
            for worker in workers:
                worker.stop()
        self._workers.clear()
