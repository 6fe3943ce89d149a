"""Who may call the local cloud: programs of this machine, never a page of the web in this machine's browser.

It takes any credentials, so a page that reaches it could read every picture: by its address, which moto would
allow by CORS, or under a name of the page's own that leads to this machine (DNS rebinding).
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost"})
BUCKETS = ".localhost"
"""Ends the names under which clients may call single buckets; it never leads off this machine (RFC 6761)."""


def refusal(environ: Mapping[str, object]) -> str | None:
    """Why a WSGI request is not answered; None where it is."""
    if not _is_local(f"//{environ.get('HTTP_HOST', '')}"):
        return "The local cloud answers under 127.0.0.1 and localhost alone."
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and not _is_local(str(origin)):
        return "The local cloud answers no page of another origin."
    return None


def _is_local(url: str) -> bool:
    try:
        name = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return name in LOOPBACK_NAMES or name.endswith(BUCKETS)
