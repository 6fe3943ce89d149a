"""The API's behaviour: a request in, a response out. Adapters use only this module."""

import json
import logging
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from image_similarity.inference import loading, request, similarity, sources
from image_similarity.inference.batch import Batch, Failure, Outcome
from image_similarity.inference.decoders import Decoder
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.engine import GATE_SECONDS, Engine, Gate, Holding, unbounded
from image_similarity.inference.errors import ApiError, InternalError
from image_similarity.inference.request import Mode, Source
from image_similarity.inference.rounding import DECIMALS, rounded
from image_similarity.inference.sources import Files, Place, SourcePolicy
from image_similarity.inference.timings import Timings

MAX_REQUEST_ID_LENGTH = 128
OK = "OK"
"""A response's code if there is no error."""
CORS_HEADERS = {
    # There are no cookies and no other credentials that an origin would protect: every page may call.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "X-Request-Id, X-Model, Server-Timing, Retry-After",
}
INTERNAL_ERROR_MESSAGE = "Something failed on our side. Try again, and report the requestId if it stays."
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
        images: how many vectors were made.
        failures: how many images of a batch failed, by the code of their errors.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    code: str = OK
    timings: Mapping[str, float] = field(default_factory=dict)
    images: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Answer:
    """The content of a response: see `Response`."""

    payload: dict[str, Any]
    images: int
    failures: Mapping[str, int] = field(default_factory=dict)


class Service:
    """Answers requests with one encoder under one policy. Safe to call from many threads."""

    def __init__(
        self,
        encoder: Encoder,
        policy: SourcePolicy,
        gate: Gate = unbounded,
        fetching: Place = lambda _: nullcontext(),
        decoder: Decoder | None = None,
        holding: Holding = nullcontext,
    ) -> None:
        """Make the service.

        Args:
            encoder: makes the vectors.
            policy: what may be fetched.
            gate: called with the longest wait in seconds; what it returns is held while a request decodes and
                encodes, but not while it fetches, so that an adapter can bound how many compute at once. A
                batch leaves it between its chunks. Default: no bound.
            fetching: called with a number of files; what it returns is held while they are fetched, so that
                an adapter can reserve places for requests that fetch nothing. Default: no bound.
            decoder: decodes the images. None: this process does.
            holding: called with the size in bytes of fetched files; what it returns is held until they are
                decoded, so that an adapter can bound how many bytes wait. Default: no bound.
        """
        self._engine = Engine(encoder, decoder, gate, holding)
        self._policy = policy
        self._fetching = fetching

    def handle(self, incoming: Request) -> Response:
        """Answer one request; every failure is a response too, in the contract's error shape."""
        timings = Timings()
        headers = self._headers(incoming.request_id)
        try:
            answer = self._answer(incoming, timings)
        except ApiError as error:
            return error_response(error, headers)
        except Exception:  # the last line of defence: a defect becomes a logged 500, never a dead worker
            logger.exception("request %s failed", headers["X-Request-Id"])
            return error_response(InternalError(INTERNAL_ERROR_MESSAGE), headers)
        headers["Server-Timing"] = server_timing(timings.steps)
        headers |= CORS_HEADERS
        return Response(
            200, headers, _json(answer.payload), OK, timings.steps, answer.images, answer.failures
        )

    def refuse(self, error: ApiError, request_id: str | None) -> Response:
        """The response to a request that an adapter refuses without handling it."""
        return error_response(error, self._headers(request_id))

    def _headers(self, request_id: str | None) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Request-Id": valid_request_id(request_id),
            "X-Model": self._engine.name,
        }

    def _answer(self, incoming: Request, timings: Timings) -> _Answer:
        images = request.parse(incoming.headers.get("content-type"), incoming.body)
        if images.mode is Mode.BATCH:
            return self._batch(images.sources, timings)
        vectors = self._vectors(images.sources, timings)
        if images.mode is Mode.VECTOR:
            return _Answer({"result": rounded(vectors[0])}, 1)
        return _Answer({"similarity": round(similarity.score(vectors[0], vectors[1]), DECIMALS)}, 2)

    def _batch(self, images: Sequence[Source], timings: Timings) -> _Answer:
        with Files(images, self._policy, self._fetching) as files:
            outcomes = Batch(images, self._engine, timings, INTERNAL_ERROR_MESSAGE).run(files)
        failures = Counter(outcome.code for outcome in outcomes if isinstance(outcome, Failure))
        payload = {"results": [_result(outcome) for outcome in outcomes]}
        return _Answer(payload, len(outcomes) - failures.total(), failures)

    def _vectors(self, images: Sequence[Source], timings: Timings) -> NDArray[np.float32]:
        with timings.step("fetch"):
            files = sources.read_all(images, self._policy, self._fetching)
        fetched = sum(len(data) for source, data in zip(images, files, strict=True) if source.is_fetched)
        with self._engine.holding(fetched), self._engine.gate(GATE_SECONDS):
            with timings.step("decode"):
                batch = self._decode(images, files)
            with timings.step("encode"):
                return self._engine.encode(batch)

    def _decode(self, images: Sequence[Source], files: Sequence[bytes]) -> NDArray[np.uint8]:
        """Decode all images, those of a pair side by side; the first slot's error wins."""
        if len(files) == 1:
            return self._engine.decode(files[0], images[0].field)[np.newaxis]
        decoding = [
            self._engine.threads.submit(self._engine.decode, data, source.field)
            for source, data in zip(images, files, strict=True)
        ]
        pictures = []
        try:
            while decoding:
                pictures.append(decoding.pop(0).result())
        finally:
            wait(decoding)  # the gate is for one request: the next is not let in while this one still decodes
            decoding.clear()  # an error's traceback refers to this frame, and a future to its error
        return np.stack(pictures)


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Failure):
        return {"error": {"code": outcome.code, "message": outcome.message}}
    return {"result": rounded(outcome)}


def error_response(error: ApiError, headers: Mapping[str, str]) -> Response:
    """The contract's response for an error; `headers` has the request's X-Request-Id."""
    body = {"code": error.code, "message": str(error), "requestId": headers["X-Request-Id"]}
    return Response(error.status, {**headers, **error.headers, **CORS_HEADERS}, _json(body), error.code)


def server_timing(steps: Mapping[str, float]) -> str:
    """The Server-Timing header's value for milliseconds of steps (W3C Server Timing section 3)."""
    return ", ".join(f"{name};dur={duration:.1f}" for name, duration in steps.items())


def load_service(
    environ: Mapping[str, str],
    *,
    threads: int,
    gate: Gate = unbounded,
    fetching: Place = lambda _: nullcontext(),
    decoder: Decoder | None = None,
    holding: Holding = nullcontext,
    warm: bool = True,
    begun: loading.Loading | None = None,
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
        begun: the loading of the encoder, where it has begun already.

    Raises:
        ManifestError: the artifact is missing, incomplete or not the one its manifest describes.
        SettingError: a variable has an unusable value.
    """
    policy = SourcePolicy.from_environment(environ)
    encoder = begun.encoder() if begun else loading.load(loading.model_dir(environ), threads=threads)
    if warm:
        encoder.warm()
    return Service(encoder, policy, gate, fetching, decoder, holding)


def load_encoder(environ: Mapping[str, str], *, threads: int, warm: bool) -> Encoder:
    """The encoder of `load_service`, in whose words its arguments and errors are described."""
    encoder = loading.load(loading.model_dir(environ), threads=threads)
    if warm:
        encoder.warm()
    return encoder


def valid_request_id(given: str | None) -> str:
    """The gateway's id if it fits into a header and a log line, else a fresh one."""
    if given and len(given) <= MAX_REQUEST_ID_LENGTH and given.isascii() and given.isprintable():
        return given
    return str(uuid.uuid4())


def _json(payload: dict[str, Any]) -> bytes:
    return json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
