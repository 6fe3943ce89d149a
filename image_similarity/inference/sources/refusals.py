"""The messages for a server that delivers no file: what it did, and what the caller can do."""

import re
import ssl

from image_similarity.inference.errors import ApiError, InvalidImage, PayloadTooLarge, SourceUnavailable
from image_similarity.inference.sources.answer import (
    MAX_HEAD_BYTES,
    MAX_HEAD_LINES,
    AmbiguousHeaderError,
    EndlessHeadError,
    Head,
)
from image_similarity.inference.sources.body import BreaksOffError
from image_similarity.inference.sources.budget import (
    BYTES_A_SECOND,
    PROCESSOR_SECONDS,
    TooCostlyError,
    TooMuchReceivedError,
    TooSlowError,
)
from image_similarity.inference.sources.coding import CutOffError, UnreadableCodingError, WrongCodingError
from image_similarity.inference.sources.collect import OverLimitError

REASONS = {
    204: "an empty answer; send the address of an image.",
    205: "an empty answer; send the address of an image.",
    206: "only a part of the file, which was not requested; use another server.",
    300: "a choice of addresses; send one of them.",
    304: "'not modified' to a request that was not conditional; use another server.",
    401: "it needs a login or refuses us; send an address that anyone may open.",
    402: "it requires payment; send an address that anyone may open.",
    403: "it needs a login or refuses us; send an address that anyone may open.",
    404: "it has no such file (not found); check the address.",
    407: "it needs a login or refuses us; send an address that anyone may open.",
    410: "it no longer has this file (not found); check the address.",
    429: "it is busy; try again later.",
    451: "it may not show the file here; use another server.",
    503: "it is busy; try again later.",
}
OWN_FAILURE = "a failure of its own; try again later, or use another server."
OTHER = "not a file; check the address."

INCOMPLETE = (
    "the chain to a public authority is incomplete; its owner has to add the intermediate certificate."
)
CERTIFICATES = {
    9: "it is not valid yet; the server's owner has to renew it.",
    10: "it has expired; the server's owner has to renew it.",
    18: "it is self-signed; use a server with a certificate of a public authority.",
    19: "its authority is not a public one; use a server with a certificate of a public authority.",
    20: INCOMPLETE,
    21: INCOMPLETE,
    23: "it is revoked; the server's owner has to renew it.",
    62: "it is for another name; use the name that it is for.",
    64: "it is for another address; use the name that it is for.",
}
"""By OpenSSL's number of the reason (openssl/x509_vfy.h)."""
OTHER_CERTIFICATE = "it can't be verified; use a server with a certificate of a public authority."

HTML_TYPES = ("text/html", "application/xhtml+xml")
HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|script|title)[\s>]", re.IGNORECASE
)
PICTURES = (b"\xff\xd8", b"\x89PNG", b"BM", b"RIFF")
SNIFFED_BYTES = 512


def status(head: Head) -> SourceUnavailable:
    """An answer without a file."""
    default = OWN_FAILURE if head.status >= 500 else OTHER
    return SourceUnavailable(f"the server answers {head.status}: {REASONS.get(head.status, default)}")


def content(data: bytes, head: Head) -> ApiError | None:
    """An answer whose file can't be an image; None where it may be one."""
    if not data:
        return SourceUnavailable("the server sends an empty answer; send the address of an image.")
    types = {kind.partition(";")[0].strip() for kind in head.members("content-type")}
    is_page = not types.isdisjoint(HTML_TYPES) and not data.startswith(PICTURES)
    if is_page or HTML.match(data[:SNIFFED_BYTES]):
        return InvalidImage(
            "the server sends a web page, not a picture; send the address of the file itself "
            "(JPEG, PNG, ...), which anyone may open without a login."
        )
    return None


def certificate(error: ssl.SSLCertVerificationError) -> SourceUnavailable:
    """A certificate that is not trusted."""
    reason = CERTIFICATES.get(error.verify_code, OTHER_CERTIFICATE)
    return SourceUnavailable(f"the server's certificate is not valid: {reason}")


def too_large(max_bytes: int) -> PayloadTooLarge:
    """A file over the limit."""
    return PayloadTooLarge(f"the file has more than {max_bytes} bytes (the limit); send a smaller one.")


def too_large_in_all(max_bytes: int) -> PayloadTooLarge:
    """A file for which the request's other files leave no room."""
    return PayloadTooLarge(
        f"the files of this request have more than {max_bytes} bytes in all (the limit); send this one in "
        "another request."
    )


def coding(error: Exception, what: str = "the server's answer") -> SourceUnavailable:
    """A compression that can't be undone. `what`: whose data it is."""
    name = str(error)
    if isinstance(error, UnreadableCodingError):
        return SourceUnavailable(
            f"{what} is compressed ({_quoted(name)}) in an unsupported way; "
            "store it uncompressed, or with gzip or deflate."
        )
    if isinstance(error, CutOffError):
        return SourceUnavailable(f"{what} is compressed ({name}) and breaks off within it; send it whole.")
    return SourceUnavailable(
        f"{what} is declared as compressed ({name}), but is not, or is damaged: its Content-Encoding "
        "is wrong; correct it, or use another server."
    )


def broken(error: Exception, max_bytes: int) -> ApiError:
    """Whatever went wrong while fetching from a server."""
    if isinstance(error, TooMuchReceivedError | OverLimitError):
        return too_large(max_bytes)
    if isinstance(error, UnreadableCodingError | WrongCodingError | CutOffError):
        return coding(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificate(error)
    return SourceUnavailable(_sentence(error))


def _sentence(error: Exception) -> str:
    if isinstance(error, EndlessHeadError):
        return (
            f"the server sends endless headers: reading stops after {MAX_HEAD_LINES} lines or "
            f"{MAX_HEAD_BYTES} bytes; use another server."
        )
    if isinstance(error, AmbiguousHeaderError):
        return (
            f"the server sends {error} twice with different values, so it is unclear which file "
            "is meant or where it ends; use another server."
        )
    if isinstance(error, TooCostlyError):
        return (
            "the server sends its answer in too many small pieces: reading it takes more than "
            f"{PROCESSOR_SECONDS:g} second of CPU time; use another server."
        )
    if isinstance(error, TooSlowError):
        return f"the server sends less than {BYTES_A_SECOND} bytes a second; use a faster one."
    if isinstance(error, BreaksOffError):
        return "the server breaks off before the file is complete; try again, or use another server."
    if isinstance(error, ssl.SSLError):
        return (
            "the server can't be reached by https: it does not speak TLS 1.2 or newer with the ciphers of "
            "today's browsers; check the address, or use another server."
        )
    return "the server can't be reached, or breaks off; check the address."


def _quoted(name: str) -> str:
    return name if name.isascii() and name.isprintable() and len(name) <= 64 else "unknown"
