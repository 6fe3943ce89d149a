"""The catalogue's calls over HTTP: a request in, a response out. Adapters answer by this module alone."""

import json
import logging
import time
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from image_similarity.catalogue import followed, search
from image_similarity.catalogue.index import Index, TransientError, Vector
from image_similarity.catalogue.ledger import Ledger
from image_similarity.catalogue.messages import Queue
from image_similarity.catalogue.status import Catalogue, described
from image_similarity.catalogue.sync import Sync
from image_similarity.catalogue.telemetry import Lines
from image_similarity.inference import json_body, request, sources
from image_similarity.inference.decoders import Decoder
from image_similarity.inference.encoder import Encoder
from image_similarity.inference.errors import (
    ApiError,
    Forbidden,
    InternalError,
    NotFound,
    Unavailable,
    naming,
)
from image_similarity.inference.service import (
    CORS_HEADERS,
    INTERNAL_ERROR_MESSAGE,
    OK,
    Request,
    Response,
    error_response,
    server_timing,
    valid_request_id,
)
from image_similarity.inference.sources import SourcePolicy
from image_similarity.inference.text.words import Words
from image_similarity.inference.timings import Timings

ROUTES = {
    ("POST", "/catalogue/search"): "search",
    ("POST", "/catalogue/sync"): "sync",
    ("GET", "/catalogue"): "status",
}
LINK_SECONDS = 900
SYNC_USAGE = 'Send nothing, or an object with "prefix".'
logger = logging.getLogger(__name__)


class Links(Protocol):
    """Where pictures can be had."""

    def link(self, key: str, seconds: int) -> str:
        """A URL by which anybody gets the object for so many seconds."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call as an adapter received it.

    Attributes:
        method: of HTTP.
        path: below the stage.
        signed: whether it is known who calls.
        request: the rest of it.
    """

    method: str
    path: str
    signed: bool
    request: Request


@dataclass(frozen=True, slots=True)
class Services:
    """What the calls are answered from; `roots` are what the keys of its pictures begin with."""

    roots: tuple[str, ...]
    name: str
    index: Index
    ledger: Ledger
    queue: Queue
    links: Links
    sync: Sync


class Calls:
    """Answers calls. Safe to call from many threads."""

    def __init__(
        self,
        services: Services,
        encoder: Encoder,
        words: Words,
        decoder: Decoder,
        policy: SourcePolicy,
        lines: Lines,
    ) -> None:
        self._services, self._encoder, self._words, self._decoder = services, encoder, words, decoder
        self._policy, self._lines = policy, lines
        self._catalogue = Catalogue(encoder.name, services.name, services.roots, services.ledger)
        self._search = search.Search(services.index, self._catalogue)

    def handle(self, call: Call) -> Response:
        """Answer a call; every failure is a response too, in the contract's error shape."""
        start, timings, headers = time.perf_counter(), Timings(), self._headers(call.request.request_id)
        name = ROUTES.get((call.method, call.path), "unknown")
        try:
            status, payload = self._answer(name, call, timings)
        except Exception as error:
            response = error_response(self._error(error, headers["X-Request-Id"]), headers)
        else:
            headers["Server-Timing"] = server_timing(timings.steps)
            body = json.dumps(payload, allow_nan=False, separators=(",", ":")).encode()
            response = Response(status, headers | CORS_HEADERS, body, OK, timings.steps)
        self._lines.call(name, response, (time.perf_counter() - start) * 1000)
        return response

    def refuse(self, error: ApiError, request_id: str | None) -> Response:
        """The answer to a request that an adapter turns away before it is handled."""
        response = error_response(error, self._headers(request_id))
        self._lines.call("unknown", response, 0)
        return response

    def _headers(self, request_id: str | None) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "X-Request-Id": valid_request_id(request_id),
            "X-Model": self._encoder.name,
        }

    def _error(self, error: Exception, request_id: str) -> ApiError:
        """What the caller is told; of AWS's refusals and of our defects nothing but that there was one."""
        if isinstance(error, ApiError):
            return error
        if isinstance(error, TransientError):
            logger.warning("request %s: %s", request_id, error)
            return Unavailable(
                "The catalogue can't answer now. Try again in a moment, with growing pauses.", 2
            )
        logger.error("request %s failed", request_id, exc_info=error)
        return InternalError(INTERNAL_ERROR_MESSAGE)

    def _answer(self, name: str, call: Call, timings: Timings) -> tuple[int, dict[str, Any]]:
        match name:
            case "search":
                return 200, self._found(call, timings)
            case "sync":
                return 202, self._synced(call, timings)
            case "status":
                with timings.step("status"):
                    return 200, self._status(failures=call.signed)
        raise NotFound(f"There is no such call: {', '.join(' '.join(route) for route in ROUTES)}.")

    def _status(self, *, failures: bool) -> dict[str, Any]:
        """The catalogue's state; `"text": true` in it says that a search by `text` is answered."""
        status = self._catalogue.status(self._services.queue, failures=failures)
        return status | {"text": True} if self._words.available else status

    def _found(self, call: Call, timings: Timings) -> dict[str, Any]:
        query = search.parse(_fields(call, call.request.body, search.USAGE))
        self._check_prefix(query.prefix)
        with naming(query.subject):
            vector = self._vector(query, timings)
        with timings.step("search"):
            answer = self._search.answer(query, vector)
        # Until a sync has dropped them, the index has pictures of buckets that are followed no more.
        kept = [match for match in answer["matches"] if match["key"].startswith(self._services.roots)]
        if query.links and call.signed:
            for match in kept:
                match["link"] = self._services.links.link(match["key"], LINK_SECONDS)
        return answer | {"matches": kept}

    def _vector(self, query: search.Query, timings: Timings) -> Vector | None:
        """The vector of a text, or of a picture that a search brings, by the way of every other request.

        None for a picture of the catalogue, whose vector the index has.
        """
        if query.subject == "text":
            with timings.step("encode"):
                return self._words.encode(query.value)
        if query.subject == "key":
            followed.check_key(query.value, self._services.roots)
            return None
        by = request.Source.by_url if query.subject == "url" else request.Source.by_img
        source = by(query.subject, query.value)
        with timings.step("fetch"):
            [data] = sources.read_all([source], self._policy)
        with timings.step("decode"):
            pixels = self._decoder.decode(data, preprocessing=self._encoder.manifest.preprocessing)
        with timings.step("encode"):
            vector: Vector = self._encoder.encode(pixels[np.newaxis])[0]
        return vector

    def _synced(self, call: Call, timings: Timings) -> dict[str, Any]:
        if not call.signed:
            raise Forbidden("A sync is for signed callers: sign with SigV4 for the service execute-api.")
        fields = _fields(call, call.request.body or b"{}", SYNC_USAGE)
        search.check_names(fields, ["prefix"], "a sync")
        with naming("prefix"):
            prefix = search.read_prefix(fields["prefix"]) if "prefix" in fields else ""
        self._check_prefix(prefix)
        with timings.step("sync"):
            return described(self._services.sync.start(prefix))

    def _check_prefix(self, prefix: str) -> None:
        if prefix:
            with naming("prefix"):
                followed.check_prefix(prefix, self._services.roots)


def _fields(call: Call, body: bytes, usage: str) -> dict[str, Any]:
    return json_body.load_object(call.request.headers.get("content-type"), body, usage)
