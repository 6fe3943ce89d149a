"""HTTP calls to the API, signed by botocore where that is wanted."""

from urllib.parse import quote

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from verify.facts import Answer, CloudFailed, Request

SERVICE = "execute-api"
SECONDS = 35.0  # API Gateway gives up after 29


class Caller:
    """Calls one host.

    Args:
        origin: https://HOST.
        credentials: of the caller; asked for again for each call, as they may be temporary.
        region: for signatures.
        proxies: whether the environment's proxies are used.
    """

    def __init__(self, origin: str, credentials: Credentials, region: str, *, proxies: bool = True) -> None:
        self._origin, self._credentials, self._region = origin, credentials, region
        self._client = httpx.Client(
            timeout=SECONDS, trust_env=proxies, headers={"Accept-Encoding": "identity"}
        )

    def call(self, request: Request) -> Answer:
        """Send one request. Raises CloudFailed where no answer comes."""
        url = f"{self._origin}{quote(request.path, safe='/%')}"
        headers = dict(request.headers)
        if request.signed:
            call = AWSRequest(request.method, url, headers=headers, data=request.body or b"")
            SigV4Auth(self._credentials, SERVICE, self._region).add_auth(call)
            headers = dict(call.headers.items())
        try:
            answer = self._client.request(request.method, url, content=request.body, headers=headers)
        except httpx.HTTPError as error:
            raise CloudFailed(f"{request.method} {url}: {error or type(error).__name__}") from error
        return Answer(answer.status_code, dict(answer.headers), answer.content)
