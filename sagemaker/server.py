"""The SageMaker adapter: /ping and /invocations on one port, as SageMaker hosting calls a container.

https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from image_similarity.inference.decoders import processes

decoder = None
if __name__ == "__main__":  # not where this module is only imported
    decoder = processes.start()  # before the imports below: it forks, and they start threads

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import NoReturn

import uvicorn
from starlette import requests, responses
from starlette.applications import Starlette
from starlette.routing import Route

from image_similarity.inference import runtime
from image_similarity.inference.errors import StartError, Unavailable
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.service import Request, Response, load_service
from image_similarity.inference.telemetry import JsonFormatter, ObservedService
from sagemaker import load
from sagemaker.connections import Connection
from sagemaker.workers import Fetching, Gate, Held, Workers, cores

CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
"""The one header that SageMaker passes on in both directions: the request id in, Server-Timing out."""
CLOSE = {"Connection": "close"}
MOUNTED_MODEL = Path("/opt/ml/model")
PLACES_PER_CORE = 16
"""For requests that decode and compute, or wait for it."""
FETCHING_PER_CORE = 12
"""For fetching: separate places, for two files each, so that slow servers take none of the others."""
HELD_BYTES_PER_CORE = 160 * 1024**2
"""Of fetched files that wait to be decoded. With 12 places that fetch 40 MiB each it leaves room on the
instances with the least memory, 2 GiB a core."""
BODY_SECONDS = 10.0
PROMPT_SECONDS = 0.25
"""A caller that sends its whole body in this time keeps its place meanwhile; a slower one loses it."""
PATIENCE_SECONDS = 1.0
"""The wait for a place. It also slows down callers that retry at once when they are refused."""
KEEP_ALIVE_SECONDS = 75
DRAIN_SECONDS = 28
"""A batch may take 25 and the encoding of its last chunk; SageMaker kills 30 seconds after SIGTERM."""


def create_app(service: ObservedService, workers: Workers) -> Starlette:
    """The two routes over a loaded service."""

    async def ping(_: requests.Request) -> responses.Response:
        # The service made an embedding before the port opened; stuck work means that it no longer can.
        return responses.Response(status_code=503 if workers.stuck else 200)

    async def invocations(request: requests.Request) -> responses.Response:
        request_id = request.headers.get(CUSTOM_ATTRIBUTES)
        try:
            return _http(await _answer(request, request_id))
        except Unavailable as error:
            async with workers.turn_to_refuse:  # many give up waiting at once: let others in between
                await asyncio.sleep(0)
                return _http(service.refuse(error, request_id), CLOSE)
        except requests.ClientDisconnect:
            # Nobody is there to read it, and the rest of the body would keep the connection open for ever.
            return responses.Response(status_code=400, headers=CLOSE)

    async def _answer(request: requests.Request, request_id: str | None) -> Response:
        reading: asyncio.Task[bytes] | None = None
        try:
            async with workers.place(PATIENCE_SECONDS):  # nothing of the body is read before
                async with workers.turn_to_read:
                    reading = asyncio.create_task(read_body(request))
                    await asyncio.wait([reading], timeout=PROMPT_SECONDS)
                if reading.done():
                    return await _handled(request, reading.result(), request_id)
            with workers.reading():
                body = await reading
                async with workers.place(PATIENCE_SECONDS):
                    return await _handled(request, body, request_id)
        finally:
            if reading:
                reading.cancel()

    async def _handled(request: requests.Request, body: bytes, request_id: str | None) -> Response:
        return await workers.run(partial(service.handle, Request(request.headers, body, request_id)))

    return Starlette(
        routes=[
            Route("/ping", ping, methods=["GET"]),
            Route("/invocations", invocations, methods=["POST"]),
        ]
    )


async def read_body(request: requests.Request) -> bytes:
    """The body, cut off one byte over the contract's limit: the service answers 413 in its order of checks.

    What comes after the cut is read and dropped: the answer says what is wrong, and the connection lives on.

    Raises:
        ClientDisconnect: the caller has gone, or sends too slowly.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk[: MAX_BODY_BYTES + 1 - len(body)]
    except TimeoutError as error:
        raise requests.ClientDisconnect from error
    return bytes(body)


def _http(response: Response, more: Mapping[str, str] = MappingProxyType({})) -> responses.Response:
    headers = {**response.headers, **more}
    if timing := headers.get("Server-Timing"):
        headers[CUSTOM_ATTRIBUTES] = timing
    return responses.Response(response.body, response.status, headers)


def model_environment(environ: Mapping[str, str], mounted: Path = MOUNTED_MODEL) -> Mapping[str, str]:
    """The environment, with MODEL_DIR naming the model that SageMaker mounted, where it did."""
    if (mounted / "manifest.json").is_file():
        return {**environ, "MODEL_DIR": str(mounted)}
    return environ


def main(arguments: Sequence[str]) -> None:
    """Serve until SIGTERM, then answer what has begun and exit with 0."""
    parser = argparse.ArgumentParser(prog="sagemaker.server", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        choices=["serve", "check"],
        default="serve",
        help="serve, as SageMaker calls it; check makes one embedding and ends",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (the image says 0.0.0.0)")
    options = parser.parse_args(arguments)
    # As process 1 of a container we get no default action; uvicorn hands the signal back here once drained.
    signal.signal(signal.SIGTERM, _exit)
    signal.signal(signal.SIGINT, _exit)
    runtime.prepare(JsonFormatter())
    gate = Gate(cores())
    app = create_app(_load(gate), Workers(capacity=(PLACES_PER_CORE + FETCHING_PER_CORE) * cores()))
    if options.command == "serve":
        load.report(load.Load(gate.seconds, gate.width, load.system_stat), os.environ)
        uvicorn.Server(_config(app, options.host)).run()


def _load(gate: Gate) -> ObservedService:
    environ = model_environment(os.environ)
    fetching, held = Fetching(FETCHING_PER_CORE * cores()), Held(HELD_BYTES_PER_CORE * cores())
    make = partial(
        load_service,
        environ,
        threads=1,
        gate=gate.turn,
        fetching=fetching.files,
        decoder=decoder,
        holding=held.holding,
    )
    try:
        return ObservedService("sagemaker", environ, make)
    except StartError as error:
        sys.exit(error.sentence)


def _config(app: Starlette, host: str) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        host=host,
        port=int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080")),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


def _exit(_signal: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
