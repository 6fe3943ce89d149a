"""The two images as containers on loopback, with the limits of their platforms."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.container.conftest import Images
from tests.support.adapters import REQUEST_ID, Answer, Call, proxy_answer, proxy_event
from tests.support.ports import free_port

INVOKE = "/2015-03-31/functions/function/invocations"
HARDENED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop=ALL", "--security-opt=no-new-privileges")
READY_SECONDS = 60


@dataclass(frozen=True)
class Container:
    """A running container: its engine, its id, and how to call it.

    Attributes:
        invoke: sends an event and gives what the function returns; of the Lambda image alone.
    """

    images: Images
    name: str
    call: Call
    invoke: Callable[[Mapping[str, Any]], Any] | None = None

    def logs(self) -> str:
        return self.images.engine.docker("logs", self.name)

    def python(self, code: str, *arguments: str) -> str:
        """Run Python inside the container."""
        return self.images.engine.docker("exec", self.name, "python3.12", "-c", code, *arguments)

    def peak_megabytes(self) -> float:
        """The largest resident size of the process that computes (Linux's VmHWM)."""
        code = (
            "import glob, re\n"
            "peaks = [int(m[1]) for f in glob.glob('/proc/[0-9]*/status')"
            " if (m := re.search(r'VmHWM:\\s+(\\d+)', open(f).read()))]\n"
            "print(max(peaks))"
        )
        return int(self.python(code)) / 1024

    def killed(self) -> bool:
        state = self.images.engine.docker("inspect", "--format", "{{.State.OOMKilled}}", self.name)
        return state.strip() == "true"


def limits(memory: int, cpus: float) -> list[str]:
    return ["--memory", f"{memory}m", "--memory-swap", f"{memory}m", "--cpus", f"{cpus:g}"]


def variables(environment: Mapping[str, str]) -> list[str]:
    return [f"--env={name}={value}" for name, value in environment.items()]


@contextmanager
def lambda_container(
    images: Images,
    environment: Mapping[str, str] | None = None,
    *,
    memory: int = 1769,
    limit: int | None = None,
    image: str = "",
    network: str = "host",
    handler: str = "handler.handler",
) -> Iterator[Container]:
    """The Lambda image under AWS's emulator, with the processor share that Lambda gives to that memory.

    `limit` is the container's memory in MB where it differs from what the function is told.
    """
    port, api_port = free_port(), free_port()
    command = ["/rie", "--log-level", "info", "--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
    command += ["--runtime-api-address", f"127.0.0.1:{api_port}"]
    told = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory), "AWS_LAMBDA_FUNCTION_TIMEOUT": "28"}
    options = [f"--network={network}", *HARDENED, *limits(limit or memory, memory / 1769)]
    options += [f"--volume={images.emulator}:/rie:ro", "--entrypoint=/rie"]
    options += variables(told | dict(environment or {}))
    entrypoint = ["python3.12", "-m", "awslambdaric", handler]
    name = image or images.names["lambda"]
    with (
        images.engine.container(*options, name, *command[1:], *entrypoint) as container,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):

        def call(body: bytes, headers: Mapping[str, str]) -> Answer:
            response = client.post(INVOKE, json=proxy_event(body, headers))
            if response.status_code != 200 or "statusCode" not in response.json():
                # What API Gateway makes of a function that died: 502.
                return Answer(502, {}, response.content)
            return proxy_answer(response.json())

        def invoke(event: Mapping[str, Any]) -> Any:
            return client.post(INVOKE, json=event).raise_for_status().json()

        wait_until(lambda: answers(client))
        yield Container(images, container, call, invoke)


@contextmanager
def sagemaker_container(
    images: Images,
    environment: Mapping[str, str] | None = None,
    *,
    memory: int = 4096,
    cpus: float = 2,
    options: tuple[str, ...] = (),
    image: str = "",
) -> Iterator[Container]:
    """The SageMaker image as `docker run IMAGE serve`, on a port of its own."""
    port = free_port()
    told = {"SAGEMAKER_BIND_TO_PORT": str(port), **(environment or {})}
    arguments = ["--network=host", *HARDENED, *limits(memory, cpus), *variables(told), *options]
    name = image or images.names["sagemaker"]
    with (
        images.engine.container(*arguments, name, "serve") as container,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=60) as client,
    ):

        def call(body: bytes, headers: Mapping[str, str]) -> Answer:
            response = client.post(
                "/invocations",
                content=body,
                headers={**headers, "X-Amzn-SageMaker-Custom-Attributes": REQUEST_ID},
            )
            return Answer(response.status_code, dict(response.headers), response.content)

        wait_until(lambda: client.get("/ping").status_code == 200)
        yield Container(images, container, call)


def answers(client: httpx.Client) -> bool:
    """Whether the emulator's port is open; it starts the function with the first event only."""
    return client.get("/").status_code == 404


def wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if ready():
                return
        except (httpx.TransportError, subprocess.TimeoutExpired):
            pass
        time.sleep(0.05)
    raise TimeoutError(f"the container was not ready in {READY_SECONDS} s")
