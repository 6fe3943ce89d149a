"""Verification of AWS Signature Version 4, as API Gateway does it for AWS_IAM.

The signature is computed by botocore over what arrived and compared. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from local.gateway.messages import Refusal

ALGORITHM = "AWS4-HMAC-SHA256"
SERVICE = "execute-api"
SKEW = timedelta(minutes=5)
LONGEST_PRESIGNED = timedelta(days=7)


@dataclass(frozen=True)
class AccessKey:
    """The one key pair that the local gateway accepts, in one region."""

    key_id: str
    secret: str
    region: str
    session_token: str | None = None


@dataclass(frozen=True)
class SignedRequest:
    """What a signature covers: method, raw path, raw query, headers and the bytes as sent."""

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes


@dataclass(frozen=True)
class _Claim:
    """What a caller says about its signature."""

    credential: str
    signed_headers: frozenset[str]
    signature: str
    timestamp: str
    lifetime: timedelta | None  # None for a signature in the Authorization header
    query: str  # what the signature covers
    token: str | None


class _Verifier(SigV4Auth):
    """botocore's signer, over just the headers that the caller signed."""

    def __init__(self, key: AccessKey, signed_headers: frozenset[str]) -> None:
        super().__init__(Credentials(key.key_id, key.secret), SERVICE, key.region)
        self._wanted = signed_headers

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        chosen = HTTPHeaders()
        for name, value in request.headers.items():
            if name.lower() in self._wanted:
                chosen[name.lower()] = value
        return chosen


def verify(request: SignedRequest, key: AccessKey, now: datetime | None = None) -> None:
    """Return when the request is signed with the key; else raise Refusal (always 403)."""
    headers = {name.lower(): value for name, value in request.headers}
    claim = _from_query(request.query) or _from_headers(headers, request.query)
    _check_scope(claim, key)
    _check_time(claim, now or datetime.now(UTC))
    if "host" not in claim.signed_headers or not claim.signed_headers <= headers.keys():
        raise _invalid("'Host' must be a 'SignedHeader' in the request, and every signed header be sent.")
    declared_hash = headers.get("x-amz-content-sha256")
    if declared_hash not in (None, sha256(request.body).hexdigest()):
        raise _invalid("The value of X-Amz-Content-SHA256 is not the hash of the body.")
    if not hmac.compare_digest(_expected(request, claim, key), claim.signature):
        raise _invalid(
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method."
        )


def _expected(request: SignedRequest, claim: _Claim, key: AccessKey) -> str:
    url = f"http://host{request.path}" + (f"?{claim.query}" if claim.query else "")
    again = AWSRequest(method=request.method, url=url, data=request.body)
    for name, value in request.headers:
        again.headers[name] = value
    again.context["timestamp"] = claim.timestamp
    verifier = _Verifier(key, claim.signed_headers)
    text = verifier.string_to_sign(again, verifier.canonical_request(again))
    return str(verifier.signature(text, again))


def _from_headers(headers: Mapping[str, str], query: str) -> _Claim:
    authorization = headers.get("authorization")
    if authorization is None:
        raise Refusal("MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")
    fields = dict(re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", authorization))
    timestamp = headers.get("x-amz-date")
    if not authorization.startswith(ALGORITHM) or len(fields) < 3 or timestamp is None:
        raise _invalid(
            f"Authorization header requires {ALGORITHM} with 'Credential', 'SignedHeaders' and 'Signature', "
            "and existence of an 'X-Amz-Date' header."
        )
    return _Claim(
        fields["Credential"],
        frozenset(fields["SignedHeaders"].lower().split(";")),
        fields["Signature"],
        timestamp,
        None,
        query,
        headers.get("x-amz-security-token"),
    )


def _from_query(query: str) -> _Claim | None:
    pairs = [pair.partition("=")[::2] for pair in query.split("&") if pair]
    values = {name: unquote(value) for name, value in pairs}
    names = ("X-Amz-Credential", "X-Amz-SignedHeaders", "X-Amz-Signature", "X-Amz-Date", "X-Amz-Expires")
    if values.get("X-Amz-Algorithm") != ALGORITHM or any(name not in values for name in names):
        return None
    seconds = values["X-Amz-Expires"]
    lifetime = timedelta(seconds=int(seconds)) if re.fullmatch(r"\d{1,6}", seconds) else timedelta(0)
    return _Claim(
        values["X-Amz-Credential"],
        frozenset(values["X-Amz-SignedHeaders"].lower().split(";")),
        values["X-Amz-Signature"],
        values["X-Amz-Date"],
        min(lifetime, LONGEST_PRESIGNED),
        "&".join(f"{name}={value}" for name, value in pairs if name != "X-Amz-Signature"),
        values.get("X-Amz-Security-Token"),
    )


def _check_scope(claim: _Claim, key: AccessKey) -> None:
    parts = claim.credential.split("/")
    if len(parts) != 5 or parts[0] != key.key_id or (claim.token or None) != key.session_token:
        raise Refusal("ACCESS_DENIED", "The security token included in the request is invalid.")
    if parts[1:] != [claim.timestamp[:8], key.region, SERVICE, "aws4_request"]:
        raise _invalid(
            f"Credential should be scoped to {claim.timestamp[:8]}/{key.region}/{SERVICE}/aws4_request."
        )


def _check_time(claim: _Claim, now: datetime) -> None:
    try:
        signed = datetime.strptime(claim.timestamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _invalid("Date must be in ISO-8601 'basic format': 20260102T030405Z.") from error
    if signed > now + SKEW:
        raise _invalid(f"Signature not yet current: {claim.timestamp} is still later than now and 5 min.")
    if now > signed + (claim.lifetime if claim.lifetime is not None else SKEW):
        raise _invalid(f"Signature expired: {claim.timestamp} is too long ago.")


def _invalid(message: str) -> Refusal:
    return Refusal("INVALID_SIGNATURE", message)
