"""What is refused, and what is open: the errors of the contract, on each backend."""

from verify.answers import Differs, expect, read, refusal
from verify.checks.contract import BOTH
from verify.rows import Row
from verify.subject import FEATURE, Subject

LIMIT = 5 * 1024**2


SIGNING_HEADERS = (
    "Authorization",
    "Content-Type",
    "X-Amz-Date",
    "X-Amz-Security-Token",
    "X-Amz-Content-Sha256",
)


def invalid_request(subject: Subject) -> str:
    """A field of the wrong type: the container's own status, body and id reach the caller."""
    answer = subject.post({"url": 1})
    seen = refusal(answer, 400, "InvalidRequest")
    body = read(answer)
    if '"url"' not in body["message"] or answer.headers.get("x-request-id") != body["requestId"]:
        raise Differs(
            f"{body['message']} {body['requestId']}, X-Request-Id {answer.headers.get('x-request-id')}"
        )
    return f"{seen}: {body['message']}"


def invalid_image(subject: Subject) -> str:
    """Base64 of something else than an image."""
    return refusal(subject.post({"img": "aGVsbG8="}), 400, "InvalidImage")


def private_address(subject: Subject) -> str:
    """The address of the instance's metadata is never fetched."""
    answer = subject.post({"url": "http://169.254.169.254/latest/meta-data/"})
    return refusal(answer, 400, "SourceNotAllowed")


def media_type(subject: Subject) -> str:
    """Another media type than JSON."""
    answer = subject.post({"img": subject.pictures.first}, {"Content-Type": "text/plain"})
    return refusal(answer, 415, "UnsupportedMediaType")


def too_large(subject: Subject) -> str:
    """A body over 5 MiB."""
    return refusal(subject.post(b" " * (LIMIT + 1)), 413, "PayloadTooLarge")


def unsigned(subject: Subject) -> str:
    """What a call without a signature gets."""
    answer = subject.call("POST", FEATURE, {}, signed=False)
    if subject.signed:
        return refusal(answer, 403, "Forbidden")
    return refusal(answer, 400, "InvalidRequest")


def no_route(subject: Subject) -> str:
    """What API Gateway answers by itself is in the contract's shape."""
    return refusal(subject.call("GET", FEATURE, signed=False), 403, "Forbidden")


def preflight(subject: Subject) -> str:
    """A browser's preflight is open, and allows the headers of a signature."""
    answer = expect(subject.call("OPTIONS", FEATURE, headers={}, signed=False), 204)
    allowed = answer.headers.get("access-control-allow-headers", "")
    missing = [name for name in SIGNING_HEADERS if name not in allowed]
    if missing or answer.headers.get("access-control-allow-origin") != "*":
        raise Differs(f"204, and not allowed are: {', '.join(missing) or 'other origins'}")
    return "204, with the headers of a signature"


ROWS = (
    Row(
        "invalid-request",
        "a wrong field",
        "400 `InvalidRequest` that names it, its `requestId` that of `X-Request-Id`",
        invalid_request,
        BOTH,
        quick=True,
        why="SageMaker's 424 becomes the container's answer by a template that only API Gateway runs",
    ),
    Row("invalid-image", "base64 that is no image", "400 `InvalidImage`", invalid_image, BOTH, quick=True),
    Row(
        "private-address",
        "a URL of the cloud's metadata service",
        "400 `SourceNotAllowed`",
        private_address,
        BOTH,
        quick=True,
    ),
    Row(
        "media-type",
        "another media type than JSON",
        "415 `UnsupportedMediaType`",
        media_type,
        BOTH,
        quick=True,
    ),
    Row("too-large", "a body of 5 MiB plus one byte", "413 `PayloadTooLarge`", too_large, BOTH, quick=True),
    Row(
        "unsigned",
        "a call without a signature",
        "403 `Forbidden` with `AWS_IAM`, answered with `NONE`",
        unsigned,
        BOTH,
        quick=True,
    ),
    Row(
        "no-route",
        "a method that does not exist",
        "403 `Forbidden`, in the API's error format, with CORS",
        no_route,
        quick=True,
    ),
    Row(
        "preflight",
        "a browser's preflight",
        "204 without a signature; allows a signature's headers",
        preflight,
        BOTH,
        quick=True,
    ),
)
