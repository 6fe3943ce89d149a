"""Where requests go: an API behind a URL, signed or not, or the service inside this process."""

import json
import os
import time
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TIMEOUT_SECONDS = 35.0  # API Gateway gives up after 29
TRIES = 4
BUSY = frozenset({429, 503})
JSON_HEADERS = {"Content-Type": "application/json"}


class Refused(Exception):
    """An answer that is no success: `code` and the message of the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Unreachable(Exception):
    """Nothing usable answers at the target; there is no use in going on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: the API's JSON, and the model that made it (X-Model)."""

    content: dict[str, Any]
    model: str


class Target(Protocol):
    """Something that answers the API's requests."""

    def ask(self, payload: dict[str, str]) -> Answer:
        """Answer one request.

        Raises:
            Refused: the answer is an error of the API.
            Unreachable: nothing usable answers.
        """
        ...


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
    """The API behind a URL; waits and tries again when it is busy."""

    def __init__(self, url: str, signer: Signer | None = None) -> None:
        self._url = url
        self._signer = signer
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS)

    def ask(self, payload: dict[str, str]) -> Answer:
        """Post the payload; see `Target.ask`."""
        body = json.dumps(payload).encode()
        for attempt in range(1, TRIES + 1):
            response = self._post(body)
            if response.status_code not in BUSY or attempt == TRIES:
                break
            time.sleep(float(response.headers.get("Retry-After", 2 ** (attempt - 1))))
        if response.status_code == httpx.codes.FORBIDDEN:
            raise Unreachable(f"The API refused the call{self._advice()}")
        return _answer(response.status_code, response.content, response.headers.get("X-Model", ""))

    def _advice(self) -> str:
        if self._signer is None:
            return ". If the URL is right, it wants a signature: use --sign."
        return (
            f", signed with {self._signer.credentials.access_key} for {self._signer.region}: the key is "
            "wrong or has expired, or it lacks the permission execute-api:Invoke."
        )

    def _post(self, body: bytes) -> httpx.Response:
        headers = self._signer.headers(self._url, body) if self._signer else JSON_HEADERS
        try:
            return self._client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unreachable(
                f"{self._url} can't be reached: {error}. Check the URL, or start it."
            ) from error


class InProcess:
    """The service itself, without any server: the bundled model, or the one that MODEL_DIR names."""

    def __init__(self) -> None:
        from image_similarity.inference.errors import StartError
        from image_similarity.inference.service import load_service  # only this target needs ONNX Runtime

        try:
            self._service = load_service(os.environ, threads=os.cpu_count() or 1)
        except StartError as error:
            raise Unreachable(str(error)) from error

    def ask(self, payload: dict[str, str]) -> Answer:
        """Answer in this process; see `Target.ask`."""
        from image_similarity.inference.service import Request

        body = json.dumps(payload).encode()
        response = self._service.handle(Request({"content-type": "application/json"}, body))
        return _answer(response.status, response.body, response.headers["X-Model"])


def _answer(status: int, body: bytes, model: str) -> Answer:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise Unreachable(f"The answer (status {status}) is not JSON. Is the URL that of the API?") from error
    if status == httpx.codes.OK:
        return Answer(content, model)
    message = str(content.get("message", "no message"))
    raise Refused(str(content.get("code", status)), message)
