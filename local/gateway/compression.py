"""Content codings of API Gateway: request bodies are decompressed, and answers compressed on request.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-gzip-compression-decompression.html
"""

import gzip
import zlib

from local.gateway.messages import Incoming, Outcome, Refusal

WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


def decompressed(raw: bytes, encoding: str | None, limit: int) -> bytes:
    """Return a request's payload; Refusal (415) for a coding that is not supported or not what was sent.

    Refuses (413) a body that inflates to more than `limit` bytes, without holding more than that.
    """
    coding = (encoding or "identity").strip().lower()
    if coding == "identity":
        return raw
    if coding not in WINDOW_BITS:
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    unpacker = zlib.decompressobj(WINDOW_BITS[coding])
    try:
        body = unpacker.decompress(raw, limit + 1)
    except zlib.error as error:
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type") from error
    if len(body) > limit:
        raise Refusal("REQUEST_TOO_LARGE", "Request Too Long")
    if not unpacker.eof:
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", "Unsupported Media Type")
    return body


def compressed(incoming: Incoming, outcome: Outcome, minimum_bytes: int | None) -> Outcome:
    """Return the answer in the client's preferred coding, if the API compresses and knows that coding."""
    names = {name.lower() for name, _ in outcome.headers}
    coding = _preferred(incoming.header("accept-encoding"))
    small = minimum_bytes is None or len(outcome.body) < minimum_bytes
    if small or coding is None or "content-encoding" in names:
        return outcome
    body = gzip.compress(outcome.body, 6) if coding == "gzip" else zlib.compress(outcome.body, 6)
    return Outcome(outcome.status, [*outcome.headers, ("Content-Encoding", coding)], body)


def _preferred(accepted: str | None) -> str | None:
    """Return gzip or deflate, whichever the header weighs highest; the first of equals."""
    choices: list[tuple[float, str]] = []
    for item in (accepted or "").lower().split(","):
        name, _, parameter = item.partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        if name.strip() in ("gzip", "deflate") and weight.replace(".", "", 1).isdigit():
            choices.append((float(weight), name.strip()))
    best = max(choices, key=lambda choice: choice[0], default=(0.0, ""))
    return best[1] if best[0] > 0 else None
