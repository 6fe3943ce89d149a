"""The API's behaviour: a request in, a response out. Adapters use this module alone."""

import json
import logging
import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference import allocator, request, similarity, sources
from image_similarity.inference.decoders import Decoder, InProcess
from image_similarity.inference.encoder import Encoder, OnnxEncoder
from image_similarity.inference.errors import ApiError, InternalError, naming
from image_similarity.inference.sources import SourcePolicy

DEFAULT_MODEL_DIR = Path(__file__).resolve().parent.parent / "models" / "embedded"
DECIMALS = 6
MAX_REQUEST_ID_LENGTH = 128
OK = "OK"
"""A response's code where there is no error."""
CORS_HEADERS = {
    # There are no cookies and no other credentials that an origin would protect: every page may call.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Request-Id, X-Model, Server-Timing, Retry-After",
}
INTERNAL_ERROR_MESSAGE = "Something failed on our side. Try again, and report the requestId if it stays."
Gate = AbstractContextManager[object, bool | None]
Holding = Callable[[int], Gate]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as an adapter received it.

    Attributes:
        headers: header names in lower case.
        body: the body's bytes.
        request_id: the gateway's id of the request; None where there is no gateway.
    """

    headers: Mapping[str, str]
    body: bytes
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """A response for the adapter to send.

    Attributes:
        status: the HTTP status.
        headers: by their names as they are usually written.
        body: UTF-8 JSON.
        code: the error's code, or OK.
        timings: milliseconds of each step, in order; empty for an error.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    code: str = OK
    timings: Mapping[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Timings:
    """Milliseconds of each step of one request, in order."""

    steps: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the block as the step of that name."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.steps[name] = (time.perf_counter() - start) * 1000


class Service:
    """Answers requests with one encoder under one policy. Safe to call from many threads."""

    def __init__(
        self,
        encoder: Encoder,
        policy: SourcePolicy,
        gate: Gate | None = None,
        fetching: Gate | None = None,
        decoder: Decoder | None = None,
        holding: Holding = nullcontext,
    ) -> None:
        """Make the service.

        Args:
            encoder: makes the vectors.
            policy: what may be fetched.
            gate: held while a request decodes and encodes, but not while it fetches, so that an adapter can
                bound how many compute at once. None: no bound.
            fetching: held while a request fetches, so that an adapter can reserve places for requests that
                fetch nothing. None: no bound.
            decoder: decodes the images. None: this process does.
            holding: called with the size in bytes of a request's fetched files; what it returns is held until
                they are decoded, so that an adapter can bound how many bytes wait. Default: no bound.
        """
        self._encoder = encoder
        self._policy = policy
        self._gate = gate or nullcontext()
        self._fetching = fetching or nullcontext()
        self._decoder = decoder or InProcess()
        self._holding = holding
        self._decoding = ThreadPoolExecutor(max_workers=os.cpu_count() or 1, thread_name_prefix="decode")

    def handle(self, incoming: Request) -> Response:
        """Answer one request; every failure is a response too, in the contract's error shape."""
        timings = Timings()
        headers = self._headers(incoming.request_id)
        try:
            payload = self._answer(incoming, timings)
        except ApiError as error:
            return error_response(error, headers)
        except Exception:  # the last line of defence: a defect becomes a logged 500, never a dead worker
            logger.exception("request %s failed", headers["X-Request-Id"])
            return error_response(InternalError(INTERNAL_ERROR_MESSAGE), headers)
        headers["Server-Timing"] = server_timing(timings.steps)
        return Response(200, headers | CORS_HEADERS, _json(payload), OK, timings.steps)

    def refuse(self, error: ApiError, request_id: str | None) -> Response:
        """The response to a request that an adapter turns away unhandled."""
        return error_response(error, self._headers(request_id))

    def _headers(self, request_id: str | None) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Request-Id": valid_request_id(request_id),
            "X-Model": self._encoder.name,
        }

    def _answer(self, incoming: Request, timings: Timings) -> dict[str, Any]:
        images = request.parse(incoming.headers.get("content-type"), incoming.body)
        with timings.step("fetch"):
            files = sources.read_all(images, self._policy, self._fetching)
        fetched = sum(len(data) for source, data in zip(images, files, strict=True) if source.is_fetched)
        with self._holding(fetched), self._gate:
            with timings.step("decode"):
                batch = self._decode(images, files)
            with timings.step("encode"):
                vectors = self._encoder.encode(batch)
        if len(vectors) == 1:
            return {"result": rounded(vectors[0])}
        return {"similarity": round(similarity.score(vectors[0], vectors[1]), DECIMALS)}

    def _decode(self, images: Sequence[request.Source], files: Sequence[bytes]) -> NDArray[np.uint8]:
        """Decode all images, those of a pair side by side; the first slot's error wins."""
        preprocessing = self._encoder.manifest.preprocessing

        def decode(source: request.Source, data: bytes) -> NDArray[np.uint8]:
            with naming(source.field):
                return self._decoder.decode(data, preprocessing=preprocessing)

        if len(files) == 1:
            return decode(images[0], files[0])[np.newaxis]
        decoding = [self._decoding.submit(decode, *image) for image in zip(images, files, strict=True)]
        pictures = []
        try:
            while decoding:
                pictures.append(decoding.pop(0).result())
        finally:
            wait(decoding)  # the gate is for one request: the next is not let in while this one still decodes
            decoding.clear()  # an error's traceback refers to this frame, and a future to its error
        return np.stack(pictures)


def error_response(error: ApiError, headers: Mapping[str, str]) -> Response:
    """The contract's response for an error; `headers` has the request's X-Request-Id."""
    body = {"code": error.code, "message": str(error), "requestId": headers["X-Request-Id"]}
    return Response(error.status, {**headers, **error.headers, **CORS_HEADERS}, _json(body), error.code)


def server_timing(steps: Mapping[str, float]) -> str:
    """The Server-Timing header's value for milliseconds of steps (W3C Server Timing section 3)."""
    return ", ".join(f"{name};dur={duration:.1f}" for name, duration in steps.items())


def rounded(vector: NDArray[np.float32]) -> list[float]:
    """A vector as JSON numbers of six decimals, without negative zeros."""
    numbers: list[float] = (np.round(vector.astype(np.float64), DECIMALS) + 0.0).tolist()
    return numbers


def load_service(
    environ: Mapping[str, str],
    *,
    threads: int,
    gate: Gate | None = None,
    fetching: Gate | None = None,
    decoder: Decoder | None = None,
    holding: Holding = nullcontext,
    warm: bool = True,
) -> Service:
    """Build the service from the environment, and tune the process's memory for serving, see `allocator`.

    Args:
        environ: MODEL_DIR names the artifact's folder (default: the bundled `embedded` model); the
            variables of `SourcePolicy.from_environment` say what may be fetched.
        threads: threads that one embedding may use.
        gate: bounds how many requests compute at once, see `Service`.
        fetching: bounds how many fetch at once, see `Service`.
        decoder: decodes the images, see `Service`.
        holding: bounds the bytes that wait to be decoded, see `Service`.
        warm: make one embedding: it proves that the model works, and spares the first request the memory that
            is allocated then.

    Raises:
        ManifestError: the artifact is missing, incomplete or not the one its manifest describes.
        SettingError: a variable has an unusable value.
    """
    policy = SourcePolicy.from_environment(environ)
    encoder = load_encoder(environ, threads=threads, warm=warm)
    return Service(encoder, policy, gate, fetching, decoder, holding)


def load_encoder(environ: Mapping[str, str], *, threads: int, warm: bool) -> Encoder:
    """The encoder of `load_service`, in whose words its arguments and errors are described."""
    with allocator.reusing_freed_memory():
        encoder = OnnxEncoder(Path(environ.get("MODEL_DIR", DEFAULT_MODEL_DIR)), threads=threads)
    if warm:
        encoder.warm()
    return encoder


def valid_request_id(given: str | None) -> str:
    """The gateway's id where it fits into a header and a log line, else a fresh one."""
    if given and len(given) <= MAX_REQUEST_ID_LENGTH and given.isascii() and given.isprintable():
        return given
    return str(uuid.uuid4())


def _json(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
