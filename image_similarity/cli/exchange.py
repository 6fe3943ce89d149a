"""One call over HTTP: bounded in time and bytes, and told in a sentence where it has no answer."""

import ipaddress
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import httpx

SILENCE_SECONDS = 35.0
"""That a server may take for its next bytes: API Gateway gives up after 29."""
DEADLINE_SECONDS = 90.0
"""Of the whole call: 5 MB have to get there, and a server that sends a byte now and then never ends."""
MAX_ANSWER_BYTES = 1024**2
Value = TypeVar("Value")


class NoAnswer(Exception):
    """The call has none; the message says what was found and what to do."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: its status, headers and bytes."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def leads_to(self) -> str | None:
        """Where a redirect leads, without what may be secret in it; None of other answers."""
        if 300 <= self.status < 400 and "Location" in self.headers:
            return without_secrets(self.headers["Location"])
        return None


class Exchange:
    """Calls of one URL. Any number of threads may make them."""

    def __init__(self, url: str) -> None:
        """Make a client; nothing is sent yet.

        Raises:
            ValueError, ImportError, httpx.InvalidURL: the environment's proxy is none.
        """
        self._url, self._shown = url, without_secrets(url)
        self._client = _client(url)

    def post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a body, and read what comes up to a limit of bytes and time.

        Raises:
            NoAnswer: nothing comes, or no end of it.
        """
        try:
            return _within(DEADLINE_SECONDS, lambda: self._post(body, headers))
        except TimeoutError as error:
            raise NoAnswer(
                f"The answer of {self._shown} does not end: it was not whole after {DEADLINE_SECONDS:g} "
                "seconds. Try again; if it stays, look whether the URL is that of the API."
            ) from error
        except httpx.ConnectTimeout as error:
            raise NoAnswer(f"{self._shown} can't be reached: {error}. Check the URL, or start it.") from error
        except httpx.TimeoutException as error:
            raise NoAnswer(
                f"{self._shown} sent nothing for {SILENCE_SECONDS:g} seconds. Try again, or with fewer "
                "--jobs."
            ) from error
        except (httpx.RemoteProtocolError, httpx.ReadError) as error:
            raise NoAnswer(f"{self._shown} broke off: {error}. Try again.") from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise NoAnswer(f"{self._shown} can't be reached: {error}. Check the URL, or start it.") from error

    def _post(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        answer = b""
        with self._client.stream("POST", self._url, content=body, headers=dict(headers)) as response:
            for part in response.iter_raw():
                answer += part
                if len(answer) > MAX_ANSWER_BYTES:
                    raise NoAnswer(
                        f"The answer of {self._shown} does not end: it has over {MAX_ANSWER_BYTES:,} bytes. "
                        "Is the URL that of the API?"
                    )
        return Reply(response.status_code, response.headers, answer)


def _within(seconds: float, call: Callable[[], Value]) -> Value:
    """What a call gives, where it does so in time: httpx bounds each step, and not their sum.

    Raises:
        TimeoutError: it does not. Its thread ends when its connection does, or with the process.
    """
    future: Future[Value] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    Thread(target=work, daemon=True).start()
    return future.result(seconds)


def _client(url: str) -> httpx.Client:
    """Without the environment's proxy where the URL names this machine: that proxy is for others.

    Plain http there needs no authorities either, and reading them takes 0.1 seconds of each command's start.
    """
    here = is_loopback(url)
    plain = here and urlsplit(url).scheme == "http"
    verify = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True
    return httpx.Client(timeout=SILENCE_SECONDS, trust_env=not here, verify=verify)


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".")
        return host == "localhost" or host.endswith(".localhost") or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def without_secrets(url: str) -> str:
    """A URL as it may be shown and kept: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url.rpartition("@")[2]
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
