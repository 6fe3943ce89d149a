"""What a deployment fetches, from where, how much, and on whose behalf."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from image_similarity.inference.errors import StartError
from image_similarity.version import __version__

MIB = 1024**2
NO_HOST = "none"
DEFAULT_CONTACT = "https://image-similarity.example/"
"""Names nobody (RFC 2606): deployers who fetch a lot should say who they are."""
MAX_CONTACT = 200
# Part of a comment (RFC 9110 section 5.6.5): no parentheses, and no backslash, which would quote.
CONTACT = re.compile(rf"[\x21-\x27\x2a-\x5b\x5d-\x7e]{{1,{MAX_CONTACT}}}")
HOST = re.compile(r"\.?[a-z0-9_:][a-z0-9._:-]{0,252}")


class SettingError(StartError):
    """An environment variable that the deployer set has an unusable value."""

    what = "A setting can't be used"


@dataclass(frozen=True)
class SourcePolicy:
    """The limits of fetching.

    Attributes:
        buckets: names of the buckets that `s3://` may read.
        allow_private: also fetch from loopback and private addresses and from any port. For tests and local
            work only: it opens the machine's own services to whoever may call.
        max_bytes: the most that one file may have.
        timeout_seconds: for all fetching of one request together.
        url_hosts: the hosts that `http(s)://` may name, in lower case; one that begins with a dot stands for
            all names that end so. None: any public host.
        contact: a URL or a mail address, sent to the servers that are fetched from.
        max_bytes_in_all: the most that all fetched files of one request may have together.
    """

    buckets: frozenset[str] = field(default_factory=frozenset)
    allow_private: bool = False
    max_bytes: int = 20 * MIB
    timeout_seconds: float = 10.0
    url_hosts: frozenset[str] | None = None
    contact: str = DEFAULT_CONTACT
    max_bytes_in_all: int = 64 * MIB

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> "SourcePolicy":
        """Read the deployer's settings.

        Args:
            environ: IMAGE_BUCKETS (names separated by commas), ALLOW_PRIVATE_SOURCES (1 switches it on),
                URL_HOSTS (empty: any public host; `none`: no http(s) at all; or hosts and `.suffixes`,
                separated by commas) and USER_AGENT_CONTACT (a URL or a mail address).

        Raises:
            SettingError: a value that can't be used, with the reason.
        """
        return cls(
            buckets=frozenset(_names(environ.get("IMAGE_BUCKETS", ""))),
            allow_private=environ.get("ALLOW_PRIVATE_SOURCES") == "1",
            url_hosts=_hosts(environ.get("URL_HOSTS", "")),
            contact=_contact(environ.get("USER_AGENT_CONTACT", "").strip()),
        )

    @property
    def user_agent(self) -> str:
        """The User-Agent header: name, version, and whom to contact."""
        return f"image-similarity/{__version__} (+{self.contact})"

    def allows_host(self, host: str) -> bool:
        """Whether a web address may name this host (in lower case, with or without the root's dot)."""
        if self.url_hosts is None:
            return True
        name = host.removesuffix(".")
        return name in self.url_hosts or any(
            name.endswith(suffix) for suffix in self.url_hosts if suffix.startswith(".")
        )


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def _hosts(text: str) -> frozenset[str] | None:
    names = [name.lower().removesuffix(".") for name in _names(text)]
    if not names:
        return None
    if NO_HOST in names:
        if len(names) > 1:
            raise SettingError(
                f"URL_HOSTS has {NO_HOST} beside hosts; set {NO_HOST} alone, or the hosts alone."
            )
        return frozenset()
    for name in names:
        if not HOST.fullmatch(name):
            raise SettingError(f"URL_HOSTS has {name!a}, which is no host and no .suffix of hosts.")
    return frozenset(names)


def _contact(text: str) -> str:
    if not text:
        return DEFAULT_CONTACT
    if not CONTACT.fullmatch(text) or not ("://" in text or "@" in text):
        raise SettingError(
            f"USER_AGENT_CONTACT is {text[:MAX_CONTACT]!a}; set a URL or a mail address of at most "
            f"{MAX_CONTACT} printable ASCII characters, without spaces, parentheses and backslashes."
        )
    return text
