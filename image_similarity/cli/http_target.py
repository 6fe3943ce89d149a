"""The API behind a URL: signed or not, waited for when it is busy, and not believed."""

import base64
import ipaddress
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from image_similarity.cli import answers, batches, pictures, shrink
from image_similarity.cli.answers import ApiRefusal, BadAnswer
from image_similarity.cli.matches import Found
from image_similarity.cli.retrying import waiting_time
from image_similarity.cli.targets import Answer, Outcome, Refused, Unreachable, naming
from image_similarity.inference.json_body import MAX_BODY_BYTES

TIMEOUT_SECONDS = 35.0  # API Gateway gives up after 29
DEADLINE_SECONDS = 60.0
MAX_ANSWER_BYTES = 1024**2
TRIES = 4
BUSY = frozenset({429, 503})
MISSES_IN_A_ROW = 5
"""After so many calls without an answer of the API there is no use in going on."""
JSON_HEADERS = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
Value = TypeVar("Value")
ENVELOPE_BYTES = 64
"""What a body has beside the base64 of its pictures."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with AWS Signature Version 4 for API Gateway."""

    credentials: Credentials
    region: str

    def headers(self, url: str, body: bytes) -> dict[str, str]:
        """The headers of a signed POST."""
        call = AWSRequest("POST", url, headers=JSON_HEADERS, data=body)
        SigV4Auth(self.credentials, "execute-api", self.region).add_auth(call)
        return dict(call.headers.items())


class HttpTarget:
    """The API behind a URL."""

    group = batches.MAX_PICTURES

    def __init__(self, url: str, signer: Signer | None = None, note: Callable[[str], None] = print) -> None:
        """Make the target; nothing is sent yet.

        Args:
            url: of the API's operation.
            signer: none: calls are not signed.
            note: takes a line about a picture that was changed before it was sent.

        Raises:
            Unreachable: the URL or the environment's proxy is none.
        """
        self.url, self._signer, self._note = url, signer, note
        self._answered = False
        self.takes_batches = True
        self._misses = 0
        self._lock = threading.Lock()
        try:
            self._client = _client(url)
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            raise Unreachable(f"The environment's proxy can't be used: {error}") from error

    def embed(self, picture: str) -> Answer:
        """See `Target.embed`."""
        vector, model = self.ask(self.field(picture), answers.vector)
        return Answer(vector, model)

    def embed_many(self, pictures: Sequence[str]) -> list[Outcome]:
        """See `Target.embed_many`."""
        return batches.embed(self, pictures)

    def takes_no_batches(self) -> None:
        """Send one picture at a time from now on, and say so."""
        with self._lock:
            known, self.takes_batches = not self.takes_batches, False
        if not known:
            self._note(
                f"{self.url} takes one picture per request, which is slower: it is an older version. "
                "Deploy the stack again to send several at once."
            )

    def compare(self, first: str, second: str) -> tuple[float, str]:
        """See `Target.compare`."""
        fields: dict[str, str] = {}
        for picture, slot in ((first, "_1"), (second, "_2")):
            with naming(picture):
                fields |= self._field(picture, slot, 2)
        return self.ask(fields, answers.similarity)

    def field(self, picture: str) -> dict[str, str]:
        """One picture as the field of a request of its own."""
        return self._field(picture, "", 1)

    def search(self, picture: str, limit: int) -> Found:
        """The pictures of a catalogue that are most like a file or URL, of a target that is its search.

        Raises:
            Refused, UnreadablePicture, Unreachable: as `embed`.
        """
        with naming(picture):
            return self._search(picture, self._field(picture, "", 1), limit)

    def search_text(self, text: str, limit: int) -> Found:
        """The same by words; Refused where the model that answers takes none, or not so many."""
        return self._search(text, {"text": text}, limit)

    def _search(self, query: str, subject: Mapping[str, str], limit: int) -> Found:
        (hits, complete), model = self.ask({**subject, "limit": limit}, answers.hits)
        return Found(query, model, hits, complete)

    def _field(self, picture: str, slot: str, share: int) -> dict[str, str]:
        """One picture as a field of a request of `share` pictures; it fits into its share of the body."""
        if pictures.is_url(picture):
            return {f"url{slot}": picture}
        most = (MAX_BODY_BYTES // share - ENVELOPE_BYTES) // 4 * 3
        data, change = shrink.fitting(pictures.read(picture), most)
        if change:
            self._note(f"{picture}: {change}.")
        return {f"img{slot}": base64.b64encode(data).decode()}

    def ask(
        self, payload: Mapping[str, object], taking: Callable[[dict[str, Any]], Value]
    ) -> tuple[Value, str]:
        """What is taken from the answer, and the model that it names.

        An answer of the API that refuses fails its picture. Anything else does so where the API was heard
        before, and ends the run where it was not, or not for some time.
        """
        body = json.dumps(payload).encode()
        status, headers, answer = self._post(body)
        for attempt in range(1, TRIES):
            if status not in BUSY:
                break
            time.sleep(waiting_time(headers.get("Retry-After"), attempt))
            status, headers, answer = self._post(body)
        if status == httpx.codes.FORBIDDEN and not self._answered:
            raise Unreachable(f"The API refused the call{self._advice()}")
        try:
            value = taking(answers.read(status, answer))
        except ApiRefusal as error:
            self._count(answered=True)
            raise Refused(str(error)) from error
        except BadAnswer as error:
            raise self._failure(str(error)) from error
        self._count(answered=True)
        return value, headers.get("X-Model", "")

    def _failure(self, message: str) -> Refused | Unreachable:
        self._count(answered=False)
        if self._answered and self._misses < MISSES_IN_A_ROW:
            return Refused(message)
        return Unreachable(message)

    def _count(self, *, answered: bool) -> None:
        with self._lock:
            self._answered = self._answered or answered
            self._misses = 0 if answered else self._misses + 1

    def _advice(self) -> str:
        if self._signer is None:
            return ". If the URL is right, it requires signed calls: use --sign."
        return (
            f", signed with {self._signer.credentials.access_key} for {self._signer.region}: the key is "
            "wrong or has expired, or it lacks the permission execute-api:Invoke."
        )

    def _post(self, body: bytes) -> tuple[int, httpx.Headers, bytes]:
        """One call, whose answer is read up to a limit of bytes and time."""
        headers = self._signer.headers(self.url, body) if self._signer else JSON_HEADERS
        deadline = time.monotonic() + DEADLINE_SECONDS
        answer = b""
        try:
            with self._client.stream("POST", self.url, content=body, headers=headers) as response:
                for part in response.iter_raw():
                    answer += part
                    if len(answer) > MAX_ANSWER_BYTES or time.monotonic() > deadline:
                        raise self._failure(
                            f"The answer from {self.url} does not end. Is this the API's URL?"
                        )
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._failure(
                f"{self.url} can't be reached: {error}. Check the URL, or start it."
            ) from error
        return response.status_code, response.headers, answer


def _client(url: str) -> httpx.Client:
    """Without the environment's proxy where the URL names this machine: that proxy is for others.

    Plain http there needs no authorities either, and reading them takes 0.1 seconds of each command's start.
    """
    here = is_loopback(url)
    plain = here and urlsplit(url).scheme == "http"
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True
    return httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=not here, verify=verify)


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
