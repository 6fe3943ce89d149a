"""What a web address may look like. Everything unusual is refused: attacks begin where readers disagree."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from image_similarity.inference.addresses import Address
from image_similarity.inference.errors import SourceNotAllowed
from image_similarity.inference.sources.policy import SourcePolicy

MAX_URL_CHARACTERS = 8192
MAX_PORT = 65535
UNUSUAL_HOST = "the host is not a plain ASCII name or address; write an international name in its xn-- form."
REDIRECTED = "redirected to an address that is not fetched"
DEFAULT_PORTS = {"http": 80, "https": 443}
# Control characters, space and backslash, which one reader or another drops, trims or turns into a slash; and
# halves of surrogate pairs, which JSON can carry and UTF-8 can't.
TREACHEROUS = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
HOST_AND_PORT = re.compile(
    r"(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE
)
# RFC 1123 section 2.1, and the underscore, which real names have.
LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
HOST_NAME = re.compile(rf"(?=.{{1,253}}\.?\Z)(?:{LABEL}\.)*{LABEL}\.?", re.ASCII)
# A numeric last label makes the name an IPv4 address in an obsolete form: 2130706433, 0x7f.1, 127.1.
NUMERIC_END = re.compile(r"(?:^|\.)(?:[0-9]+|0x[0-9a-f]*)\.?\Z")
# RFC 3986 sections 3.3 and 3.4, and the percent sign of text that is encoded already.
TARGET_CHARACTERS = "%/:@!$&'()*+,;=?-._~[]"


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a web address that has been judged; it is fetched from these parts, never from its text.

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

    @property
    def authority(self) -> str:
        """Host and port as a URL and the Host header have them: without the scheme's own port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def redirected(self, location: str, policy: SourcePolicy) -> "Target":
        """Where an answer's Location leads from here (RFC 3986 section 5.2).

        Raises:
            SourceNotAllowed: to nothing that may be fetched.
        """
        try:
            url = urljoin(f"{self.scheme}://{self.authority}{self.path}", location)
        except ValueError as error:  # brackets that hold no address
            raise SourceNotAllowed(f"{REDIRECTED}: not a well-formed URL.") from error
        try:
            target = parse(url, policy)
        except SourceNotAllowed as error:
            raise SourceNotAllowed(f"{REDIRECTED}: {error.message}") from error
        if self.scheme == "https" and target.scheme == "http":
            raise SourceNotAllowed("redirected from https to http; send the final address.")
        return target


def parse(url: str, policy: SourcePolicy) -> Target:
    """Split a URL that is exactly what it seems to be.

    Raises:
        SourceNotAllowed: it is anything else, with the reason.
    """
    if not url:
        raise SourceNotAllowed("empty; send an http://, https:// or s3:// address.")
    if len(url) > MAX_URL_CHARACTERS:
        raise SourceNotAllowed(f"longer than {MAX_URL_CHARACTERS} characters.")
    if TREACHEROUS.search(url):
        raise SourceNotAllowed("has a space, a backslash or a control character; percent-encode it.")
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise SourceNotAllowed("not a well-formed URL.") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise SourceNotAllowed("only http://, https:// and s3:// addresses are fetched.")
    if "@" in parts.netloc:
        raise SourceNotAllowed("has credentials; leave out what is before the @.")
    match = HOST_AND_PORT.fullmatch(parts.netloc)
    if not match:
        raise SourceNotAllowed(UNUSUAL_HOST)
    host = (match[1] or match[2]).lower()
    address = _address(host, bracketed=bool(match[1]))
    _check_host(host, policy)
    port = int(match[3] or DEFAULT_PORTS[parts.scheme])
    _check_port(port, policy)
    path = quote((parts.path or "/") + (f"?{parts.query}" if parts.query else ""), safe=TARGET_CHARACTERS)
    return Target(parts.scheme, host, address, port, path)


def _address(host: str, *, bracketed: bool) -> Address | None:
    """The host's address if it is one in its usual form; None for a name."""
    try:
        if bracketed:
            return ipaddress.IPv6Address(host)
        if NUMERIC_END.search(host):
            return ipaddress.IPv4Address(host)
    except ValueError as error:
        raise SourceNotAllowed("the host is a number, but not an address in its usual form.") from error
    if not HOST_NAME.fullmatch(host):
        raise SourceNotAllowed(UNUSUAL_HOST)
    return None


def _check_host(host: str, policy: SourcePolicy) -> None:
    if policy.allows_host(host):
        return
    if not policy.url_hosts:
        raise SourceNotAllowed("this deployment fetches nothing from the web; send the image in base64.")
    raise SourceNotAllowed("not a host that this deployment fetches from; its owner can list it in UrlHosts.")


def _check_port(port: int, policy: SourcePolicy) -> None:
    if policy.allow_private and 0 < port <= MAX_PORT:
        return
    if port not in DEFAULT_PORTS.values():
        raise SourceNotAllowed(f"port {port} is not fetched from; use port 80 or 443.")
