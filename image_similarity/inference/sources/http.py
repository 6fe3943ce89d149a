"""Files from the web: whatever the URL says, only public servers are asked, for a bounded time and size."""

import ipaddress
import socket
import ssl
from collections.abc import Sequence
from http.client import HTTPException
from urllib.parse import quote, urljoin

from urllib3 import BaseHTTPResponse
from urllib3.exceptions import HTTPError

from image_similarity.inference.addresses import Address, blocked_by
from image_similarity.inference.errors import PayloadTooLarge, SourceNotAllowed, SourceUnavailable
from image_similarity.inference.request import Source
from image_similarity.inference.sources.collect import OverLimitError, collect
from image_similarity.inference.sources.connection import Guard, TooMuchReceivedError, connected
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from image_similarity.inference.sources.policy import SourcePolicy
from image_similarity.inference.sources.url import TARGET_CHARACTERS, Target, parse

MAX_REDIRECTS = 3
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MAX_HEADER_BYTES = 64 * 1024
READ_BYTES = 64 * 1024
HEADERS = {"User-Agent": "image-similarity", "Accept": "image/*, */*;q=0.5", "Accept-Encoding": "identity"}


def read(source: Source, policy: SourcePolicy, deadline: Deadline) -> bytes:
    """Fetch one file.

    Raises:
        SourceNotAllowed: the URL, or one that it redirects to, is not one to fetch from.
        SourceUnavailable: it can't be had, with the reason.
        PayloadTooLarge: the file has more than policy.max_bytes.
    """
    url = source.value
    target = parse(url, field=source.field, policy=policy)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(target, source.field, policy, deadline)
            if isinstance(answer, bytes):
                return answer
            url = _joined(url, answer, f"{source.field}, redirected")
            redirected = parse(url, field=f"{source.field}, redirected", policy=policy)
            if target.scheme == "https" and redirected.scheme == "http":
                raise SourceNotAllowed(
                    f"{source.field}: redirected from https to http; send the final address."
                )
            target = redirected
    except DeadlineExceededError as error:
        raise deadline.exceeded(source.field) from error
    raise SourceUnavailable(
        f"{source.field}: redirected more than {MAX_REDIRECTS} times; send the final address."
    )


def _joined(url: str, location: str, field: str) -> str:
    """RFC 3986 section 5.2: where `location` leads from `url`."""
    try:
        return urljoin(url, location)
    except ValueError as error:  # brackets that hold no address
        raise SourceNotAllowed(f"{field}: not a well-formed URL.") from error


def _ask(target: Target, field: str, policy: SourcePolicy, deadline: Deadline) -> bytes | str:
    """One request: the file, or where else it is."""
    addresses = _checked_addresses(target, field, policy)
    guard = Guard(deadline, MAX_HEADER_BYTES)
    try:
        with connected(target, addresses, guard) as connection:
            connection.request(
                "GET", target.path, headers=HEADERS, preload_content=False, decode_content=False
            )
            response = connection.getresponse()
            if response.status in REDIRECTS:
                return _location(response, field)
            _check_head(response, field, policy)
            # Chunks may be as small as one byte, each with a line of its own.
            guard.max_bytes = MAX_HEADER_BYTES + 2 * policy.max_bytes
            return _body(response, field, policy)
    except TooMuchReceivedError as error:
        raise SourceUnavailable(f"{field}: the server sends endless headers.") from error
    except ssl.SSLCertVerificationError as error:
        raise SourceUnavailable(f"{field}: the server's certificate is not valid for its name.") from error
    except (OSError, HTTPError, HTTPException, ValueError) as error:
        deadline.remaining()
        raise SourceUnavailable(
            f"{field}: the server can't be reached, or breaks off; check the address."
        ) from error


def _checked_addresses(target: Target, field: str, policy: SourcePolicy) -> Sequence[Address]:
    """The host's addresses, all of which may be connected to: one of them is, without another look-up."""
    addresses = [target.address] if target.address else _resolve(target, field)
    for address in addresses:
        if blocked_by(address, allow_private=policy.allow_private):
            raise SourceNotAllowed(
                f"{field}: the host's address is not a public one; only public servers are fetched from."
            )
    return addresses


def _resolve(target: Target, field: str) -> list[Address]:
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        return [ipaddress.ip_address(answer[4][0]) for answer in answers]
    except (OSError, ValueError) as error:  # no such name, or an address with a zone
        raise SourceUnavailable(f"{field}: the host's name is not known; check the address.") from error


def _location(response: BaseHTTPResponse, field: str) -> str:
    location = response.headers.get("Location")
    if not location:
        raise SourceUnavailable(f"{field}: the server redirects without saying where.")
    # Header bytes come as Latin-1; servers send UTF-8 paths as they are.
    return quote(location.encode("latin-1"), safe=TARGET_CHARACTERS + "#")


def _check_head(response: BaseHTTPResponse, field: str, policy: SourcePolicy) -> None:
    if response.status != 200:
        raise SourceUnavailable(f"{field}: the server answers {response.status}; check the address.")
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise SourceUnavailable(f"{field}: the server sends a compressed answer that was not asked for.")
    declared = response.headers.get("Content-Length", "")
    if declared.isascii() and declared.isdigit() and int(declared) > policy.max_bytes:
        raise _too_large(field, policy)


def _body(response: BaseHTTPResponse, field: str, policy: SourcePolicy) -> bytes:
    def read() -> bytes:
        return response.read(READ_BYTES, decode_content=False)

    try:
        return collect(iter(read, b""), policy.max_bytes)
    except (TooMuchReceivedError, OverLimitError) as error:
        raise _too_large(field, policy) from error


def _too_large(field: str, policy: SourcePolicy) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"{field}: the file has more than {policy.max_bytes} bytes, the limit; send a smaller one."
    )
