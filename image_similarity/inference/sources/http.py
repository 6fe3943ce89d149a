"""Files from the web: whatever the URL says, from public servers only, within bounded time and size."""

import ipaddress
import socket
from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from image_similarity.inference.addresses import Address, blocked_by
from image_similarity.inference.errors import SourceNotAllowed, SourceUnavailable, Unavailable
from image_similarity.inference.sources import refusals
from image_similarity.inference.sources.allowance import Allowance, AllowanceUsedUpError
from image_similarity.inference.sources.answer import (
    MAX_HEAD_BYTES,
    AmbiguousHeaderError,
    EndlessHeadError,
    Head,
    MalformedAnswerError,
    Reader,
    read_head,
)
from image_similarity.inference.sources.body import BreaksOffError, body_of, length
from image_similarity.inference.sources.budget import (
    Budget,
    TooCostlyError,
    TooMuchReceivedError,
    TooSlowError,
)
from image_similarity.inference.sources.coding import CutOffError, UnreadableCodingError, WrongCodingError
from image_similarity.inference.sources.collect import OverLimitError, collect
from image_similarity.inference.sources.connection import connected
from image_similarity.inference.sources.deadline import Deadline, DeadlineExceededError
from image_similarity.inference.sources.places import CrowdedError, Places
from image_similarity.inference.sources.policy import SourcePolicy
from image_similarity.inference.sources.url import REDIRECTED, TARGET_CHARACTERS, Target

MAX_REDIRECTS = 3
REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
FILES = frozenset({200, 203})
ACCEPT = "image/jpeg, image/png, image/bmp;q=0.9, image/webp;q=0.8, image/*;q=0.2, */*;q=0.1"
"""For servers that have a choice: first the formats read in full, last what may be no image at all."""
TROUBLES = (
    *(OSError, TooMuchReceivedError, TooCostlyError, TooSlowError, OverLimitError, BreaksOffError),
    *(EndlessHeadError, MalformedAnswerError, AmbiguousHeaderError),
    *(UnreadableCodingError, WrongCodingError, CutOffError),
)
places = Places()


def read(
    target: Target, policy: SourcePolicy, deadline: Deadline, allowance: Allowance | None = None
) -> bytes:
    """Fetch one file.

    Args:
        target: where it is.
        policy: what may be fetched.
        deadline: of the request.
        allowance: of the request; none: the file is bounded by policy.max_bytes alone.

    Raises:
        SourceNotAllowed: the server's address, or a URL that it redirects to, is not one to fetch from.
        SourceUnavailable: there is no file to be had, with the reason.
        InvalidImage: it is a web page.
        PayloadTooLarge: the file has more than policy.max_bytes, or than the allowance has left.
        Unavailable: too many files are being fetched from the server.
    """
    budget = Budget(deadline, MAX_HEAD_BYTES + 2 * policy.max_bytes)
    try:
        for _ in range(MAX_REDIRECTS + 1):
            answer = _ask(target, policy, budget, allowance or Allowance(policy.max_bytes))
            if isinstance(answer, bytes):
                return answer
            target = target.redirected(answer, policy)
    except DeadlineExceededError as error:
        raise deadline.exceeded() from error
    except CrowdedError as error:
        raise Unavailable(
            "too many files are already being fetched from this server. Try again in a moment."
        ) from error
    raise SourceUnavailable(f"redirected more than {MAX_REDIRECTS} times; send the final address.")


def _ask(target: Target, policy: SourcePolicy, budget: Budget, allowance: Allowance) -> bytes | str:
    """One request: the file, or the address that the server redirects to."""
    with places.at(target.host, budget.deadline):
        addresses = _checked_addresses(target, policy)
        try:
            place_at = partial(places.at, deadline=budget.deadline)
            with connected(target, addresses, budget, place_at) as stream:
                stream.send(_request(target, policy))
                reader = Reader(stream.read)
                return _answer(reader, policy, budget, allowance)
        except AllowanceUsedUpError as error:
            raise refusals.too_large_in_all(allowance.max_bytes) from error
        except TROUBLES as error:
            budget.deadline.remaining()
            raise refusals.broken(error, policy.max_bytes) from error


def _request(target: Target, policy: SourcePolicy) -> bytes:
    lines = (
        f"GET {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        f"User-Agent: {policy.user_agent}",
        f"Accept: {ACCEPT}",
        "Accept-Encoding: identity",
        "Connection: close",
    )
    return "\r\n".join((*lines, "", "")).encode("ascii")


def _answer(reader: Reader, policy: SourcePolicy, budget: Budget, allowance: Allowance) -> bytes | str:
    head = read_head(reader, budget.new_answer)
    if head.status in REDIRECTS and (location := _location(head)):
        return location
    if head.status not in FILES:
        raise refusals.status(head)
    body = body_of(head, reader, budget, policy.max_bytes)
    data = collect(allowance.counted(body, length(head) or 0), policy.max_bytes)
    if refusal := refusals.content(data, head):
        raise refusal
    return data


def _location(head: Head) -> str:
    location = head.one("location")
    if not location and head.status != 300:  # its choice may be left to the reader
        raise SourceUnavailable("the server redirects without saying where.")
    if "\\" in location:
        # To browsers it is a slash, to others a character of the path: where it leads depends on the reader.
        raise SourceNotAllowed(f"{REDIRECTED}: has a backslash; send the final address.")
    # Header bytes come as Latin-1; servers send UTF-8 paths as they are.
    return quote(location.encode("latin-1"), safe=TARGET_CHARACTERS + "#")


def _checked_addresses(target: Target, policy: SourcePolicy) -> Sequence[Address]:
    """The host's addresses, all of them allowed: one of these is connected to, without a second look-up."""
    addresses = [target.address] if target.address else _resolve(target)
    for address in addresses:
        if blocked_by(address, allow_private=policy.allow_private):
            raise SourceNotAllowed(
                "the host's address is not a public one; only public servers are fetched from."
            )
    return addresses


def _resolve(target: Target) -> list[Address]:
    try:
        answers = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(answer[4][0]) for answer in answers]
    except (OSError, ValueError) as error:  # no such name, or an address with a zone
        raise _unknown() from error
    if not addresses:
        raise _unknown()
    return addresses


def _unknown() -> SourceUnavailable:
    return SourceUnavailable("the host's name is not known; check the address.")
