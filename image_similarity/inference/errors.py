"""Every error that a caller can see: one class for each code of the API's contract."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class StartError(Exception):
    """What keeps the service from starting; meant for the deployer, never for a caller."""

    what: ClassVar[str]

    @property
    def sentence(self) -> str:
        """What fails, and why."""
        return f"{self.what}: {self}"


class ApiError(Exception):
    """An error with the HTTP status and the code that the caller gets.

    The caller reads `str(error)`: it names the field at fault and says what to do, and reveals nothing of
    the inside (no path, no stack, no credential).

    Attributes:
        message: what is wrong and what to do, without the field's name.
        field: the request field at fault, see `naming`; None where no single field is.
    """

    status: ClassVar[int]
    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.field: str | None = None

    def __str__(self) -> str:
        """The message for the caller: the only place where a field's name is put before one."""
        return self.message if self.field is None else f"{self.field}: {self.message}"

    @property
    def headers(self) -> dict[str, str]:
        """Response headers that belong to this error."""
        return {}


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Let every ApiError that leaves the block name this field, unless it names one already."""
    try:
        yield
    except ApiError as error:
        error.field = error.field or field
        raise


class UnsupportedMediaType(ApiError):
    """The request's Content-Type is not application/json."""

    status = 415
    code = "UnsupportedMediaType"


class PayloadTooLarge(ApiError):
    """The request body or a fetched file is over its limit in bytes."""

    status = 413
    code = "PayloadTooLarge"


class InvalidRequest(ApiError):
    """The body is not JSON, or not of one of the documented shapes."""

    status = 400
    code = "InvalidRequest"


class InvalidImage(ApiError):
    """The bytes are not a whole image in an accepted format, or not base64."""

    status = 400
    code = "InvalidImage"


class ImageTooLarge(ApiError):
    """The image's longest side is over the limit in pixels."""

    status = 400
    code = "ImageTooLarge"


class Forbidden(ApiError):
    """Only signed callers may make this call."""

    status = 403
    code = "Forbidden"


class NotFound(ApiError):
    """What the request names does not exist."""

    status = 404
    code = "NotFound"


class SourceNotAllowed(ApiError):
    """The URL is one that this deployment does not fetch from."""

    status = 400
    code = "SourceNotAllowed"


class SourceUnavailable(ApiError):
    """The URL is allowed, but could not be fetched."""

    status = 400
    code = "SourceUnavailable"


class Timeout(ApiError):
    """There was no time left to start an image of a batch."""

    status = 504
    code = "Timeout"


class InternalError(ApiError):
    """A defect of ours; the cause is in the log, never in the answer."""

    status = 500
    code = "InternalError"


class Unavailable(ApiError):
    """The service can't take the request now."""

    status = 503
    code = "Unavailable"

    def __init__(self, message: str, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After in seconds (RFC 9110 section 10.2.3)."""
        return {"Retry-After": str(self.retry_after_seconds)}
