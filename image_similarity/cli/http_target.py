"""The API behind a URL: signed or not, waited for when it is busy, and not believed."""

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError

from image_similarity.cli import answers, batches, pictures, shrink
from image_similarity.cli.answers import ApiRefusal, BadAnswer
from image_similarity.cli.exchange import Exchange, NoAnswer, Reply, without_secrets
from image_similarity.cli.matches import Found
from image_similarity.cli.retrying import BUSY, waiting_time
from image_similarity.cli.targets import Answer, Outcome, Refused, Unreachable, naming
from image_similarity.cli.text import shortened
from image_similarity.inference.json_body import MAX_BODY_BYTES

TRIES = 4
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
        """The headers of a signed POST.

        Raises:
            Unreachable: the credentials have expired and can't be had anew.
        """
        call = AWSRequest("POST", url, headers=JSON_HEADERS, data=body)
        try:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(call)
        except BotoCoreError as error:
            raise Unreachable(f"The AWS credentials can't be used: {error}") from error
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
        if not url.lower().startswith(("http://", "https://")):
            raise Unreachable("The URL of the API has to begin with http:// or https://.")
        self.url = without_secrets(url)
        self._address, self._signer, self._note = url, signer, note
        self._answered = self._was_busy = False
        self.takes_batches = True
        self._misses = 0
        self._lock = threading.Lock()
        try:
            self._exchange = Exchange(url)
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

        An answer of the API that refuses fails its picture. Anything else, and an API that stays busy, does
        so where the API was heard before, and ends the run where it was not, or not for some time.
        """
        try:
            reply = self._reply(json.dumps(payload).encode())
        except NoAnswer as error:
            raise self._failure(str(error)) from error
        try:
            value = taking(self._read(reply))
        except (ApiRefusal, BadAnswer) as error:
            raise self._refusal(reply.status, error) from error
        self._count(answered=True)
        return value, reply.headers.get("X-Model", "")

    def _refusal(self, status: int, error: ApiRefusal | BadAnswer) -> Refused | Unreachable:
        if status == httpx.codes.FORBIDDEN and not self._answered:
            said = f" It said: {error}" if isinstance(error, ApiRefusal) else ""
            return Unreachable(f"The API refused the call{self._advice()}{said}")
        if isinstance(error, BadAnswer):
            return self._failure(str(error))
        if status in BUSY:
            return self._failure(
                f"The API stayed busy for {TRIES} tries ({error}). Try again later, or with fewer --jobs."
            )
        self._count(answered=True)
        return Refused(str(error))

    def _read(self, reply: Reply) -> dict[str, Any]:
        """See `answers.read`; a redirect is told, and not followed."""
        if reply.leads_to is not None:
            raise BadAnswer(
                f"{self.url} redirects to {shortened(reply.leads_to)} (status {reply.status}), and "
                "pictures are not sent along. If that is the API, give its URL."
            )
        return answers.read(reply.status, reply.body, reply.headers.get("Content-Type", ""))

    def _reply(self, body: bytes) -> Reply:
        """What comes back in the end: a busy API is asked again."""
        reply = self._post(body)
        for attempt in range(1, TRIES):
            if reply.status not in BUSY:
                break
            seconds = waiting_time(reply.headers.get("Retry-After"), attempt)
            self._tell_busy(reply.status, seconds)
            time.sleep(seconds)
            reply = self._post(body)
        return reply

    def _post(self, body: bytes) -> Reply:
        headers = self._signer.headers(self._address, body) if self._signer else JSON_HEADERS
        return self._exchange.post(body, headers)

    def _tell_busy(self, status: int, seconds: float) -> None:
        """Say once why nothing seems to happen."""
        with self._lock:
            known, self._was_busy = self._was_busy, True
        if not known:
            self._note(f"The API is busy (status {status}): the next try is in {seconds:.0f} s.")

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
