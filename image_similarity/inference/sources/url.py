"""What a web address may look like. Everything unusual is refused: attacks live where two readers differ."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from image_similarity.inference.addresses import Address
from image_similarity.inference.errors import SourceNotAllowed
from image_similarity.inference.sources.policy import SourcePolicy

MAX_URL_CHARACTERS = 8192
MAX_PORT = 65535
UNUSUAL_HOST = "the host is not a plain ASCII name or address; write an international name in its xn-- form."
DEFAULT_PORTS = {"http": 80, "https": 443}
# Control characters, space and backslash: dropped, trimmed or turned into a slash by one reader or another;
# and halves of surrogate pairs, which JSON can carry and UTF-8 can't.
TREACHEROUS = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
HOST_AND_PORT = re.compile(
    r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE
)
# RFC 1123 section 2.1, and the underscore that names in use have.
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z)(?:{LABEL}\.)*{LABEL}\.?", re.ASCII)
# A last label that is a number makes the name an IPv4 address in a form of old: 2130706433, 0x7f.1, 127.1.
NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?\Z")
# RFC 3986 sections 3.3 and 3.4, and the percent sign of what is encoded already.
TARGET_CHARACTERS = "%/:@!$&'()*+,;=?-._~[]"


@dataclass(frozen=True, slots=True)
class Target:
    """A web address taken apart.

    Attributes:
        scheme: http or https.
        host: the name in lower case, or the address.
        address: the address where the host is one.
        port: the port to connect to.
        path: path and query in ASCII.
    """

    scheme: str
    host: str
    address: Address | None
    port: int
    path: str


def parse(url: str, *, field: str, policy: SourcePolicy) -> Target:
    """Take a URL apart that is in every respect what it seems.

    Raises:
        SourceNotAllowed: it is anything else, with the reason.
    """
    if not url:
        raise SourceNotAllowed(f"{field}: empty; send an http://, https:// or s3:// address.")
    if len(url) > MAX_URL_CHARACTERS:
        raise SourceNotAllowed(f"{field}: longer than {MAX_URL_CHARACTERS} characters.")
    if TREACHEROUS.search(url):
        raise SourceNotAllowed(
            f"{field}: has a space, a backslash or a control character; percent-encode it."
        )
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceNotAllowed(f"{field}: not a well-formed URL.") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise SourceNotAllowed(f"{field}: only http://, https:// and s3:// addresses are fetched.")
    if "@" in parts.netloc:
        raise SourceNotAllowed(f"{field}: has credentials; leave out what is before the @.")
    found = HOST_AND_PORT.fullmatch(parts.netloc)
    if not found:
        raise SourceNotAllowed(f"{field}: {UNUSUAL_HOST}")
    host = (found[1] or found[2]).lower()
    address = _address(host, bracketed=bool(found[1]), field=field)
    _check_host(host, field, policy)
    port = int(found[3] or DEFAULT_PORTS[parts.scheme])
    _check_port(port, field, policy)
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=TARGET_CHARACTERS)
    return Target(parts.scheme, host, address, port, path)


def _address(host: str, *, bracketed: bool, field: str) -> Address | None:
    """The host's address if it is one in its usual form; None for a name."""
    try:
        if bracketed:
            return ipaddress.IPv6Address(host)
        if NUMERIC_END.search(host):
            return ipaddress.IPv4Address(host)
    except ValueError as error:
        raise SourceNotAllowed(
            f"{field}: the host is a number, but not an address in its usual form."
        ) from error
    if not HOST_NAME.fullmatch(host):
        raise SourceNotAllowed(f"{field}: {UNUSUAL_HOST}")
    return None


def _check_host(host: str, field: str, policy: SourcePolicy) -> None:
    if policy.allows_host(host):
        return
    if not policy.url_hosts:
        raise SourceNotAllowed(
            f"{field}: this deployment fetches nothing from the web; send the image in base64."
        )
    raise SourceNotAllowed(
        f"{field}: not a host that this deployment fetches from; its owner can list it in UrlHosts."
    )


def _check_port(port: int, field: str, policy: SourcePolicy) -> None:
    if policy.allow_private and 0 < port <= MAX_PORT:
        return
    if port not in DEFAULT_PORTS.values():
        raise SourceNotAllowed(f"{field}: port {port} is not fetched from; use port 80 or 443.")
