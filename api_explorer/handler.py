"""The Lambda function behind `GET /api-explorer` and `GET /api-explorer/{asset}`.

Its zip holds this file and the `assets` that `bundle.py` gathered; it needs the standard library alone. The
environment says what is deployed: AUTHORIZATION (`AWS_IAM`, `NONE`), IMAGE_SIMILARITY (`yes-lambda`,
`yes-sagemaker`, `no`) and, where the stack may have a catalogue, CATALOGUE (`yes`, `paused`, `no`),
IMAGE_BUCKETS and BUCKET_HOST (`s3.REGION.SUFFIX`). AWS_ENDPOINT_URL is where the local run has its S3.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).resolve().parent / "assets"
PAGE = "index.html"
DOCUMENT, WITH_CATALOGUE = "openapi.json", "openapi-catalogue.json"
FEATURE_TAGS = frozenset({"Image similarity", "Catalogue"})
CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# img-src: Swagger UI's icons are data URLs, the chosen pictures are blobs, and see `buckets`.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:{buckets}; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
LONGEST_SOURCES = 6000
"""Of the bytes that API Gateway passes on as headers, 10240, what the names of buckets may take."""
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # A page that opened this one can't put a copy in its place, which would ask for credentials.
    "Cross-Origin-Opener-Policy": "same-origin",
    # No other page shows or runs a file of this one; reading them by CORS, as below, stays possible.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Access-Control-Allow-Origin": "*",
}
REVALIDATE = "no-cache"
FOR_GOOD = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    body: str
    content_type: str
    etag: str


def handler(event: Mapping[str, Any], context: object) -> dict[str, Any]:
    """Answer an API Gateway proxy event (REST API, payload format 1.0)."""
    path = event["requestContext"].get("path") or event["path"]
    if path.endswith("/"):  # the page's relative links hold without the slash only
        return _response(308, {"Location": f"../{path.rstrip('/').rpartition('/')[2]}"}, "")
    name = (event.get("pathParameters") or {}).get("asset", PAGE)
    if name not in NAMES:
        return _not_found(name, event["requestContext"].get("requestId", ""))
    asset = load(name)
    version = (event.get("queryStringParameters") or {}).get("v")
    caching = FOR_GOOD if version == VERSION and name != DOCUMENT else REVALIDATE
    headers = {"Content-Type": asset.content_type, "Cache-Control": caching, "ETag": asset.etag}
    if _still_current(event.get("headers") or {}, asset.etag):
        return _response(304, headers, "")
    return _response(200, headers, "" if event.get("httpMethod") == "HEAD" else asset.body)


def deployed(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Reduce the OpenAPI document to the features that are switched on, with the security in force.

    Args:
        document: the whole document.
        environment: AUTHORIZATION, IMAGE_SIMILARITY and AWS_REGION as the function's environment has them.

    Returns:
        A document whose server is relative to its own address, with `x-deployment` telling the page about
        the deployment.
    """
    security: list[dict[str, list[str]]] = (
        [{"sigv4": []}] if environment["AUTHORIZATION"] == "AWS_IAM" else []
    )
    backend = environment["IMAGE_SIMILARITY"]
    kept = {key: value for key, value in document.items() if key != "x-pictures"}
    paths = {name: path for name, path in document["paths"].items() if _is_feature(path)}
    for path in paths.values():
        for operation in path.values():
            if {} in operation["security"]:  # one that need not be signed
                operation["security"] = security
    components = dict(document["components"])
    if not any(operation["security"] for path in paths.values() for operation in path.values()):
        del components["securitySchemes"]
    return kept | {
        "servers": [{"url": "..", "description": "This deployment"}],
        "tags": [tag for tag in document["tags"] if tag["name"] in FEATURE_TAGS and backend != "no"],
        "paths": paths if backend != "no" else {},
        "components": components,
        "x-deployment": {
            "authorization": environment["AUTHORIZATION"],
            "backend": backend,
            "region": environment.get("AWS_REGION", "us-east-1"),
        },
    }


def buckets(environment: Mapping[str, str]) -> str:
    """What the policy adds to img-src: where links to catalogued pictures lead, and nothing else of S3.

    Links are given where calls are signed, and by the local run; image_similarity/catalogue/on_aws.py says
    where they lead.
    """
    local = environment.get("AWS_ENDPOINT_URL")
    if environment.get("CATALOGUE") != "yes" or not (local or environment["AUTHORIZATION"] == "AWS_IAM"):
        return ""
    host = environment["BUCKET_HOST"]
    names = environment["IMAGE_BUCKETS"].split(",")
    if local:
        sources = [f"{local}/{name}/" for name in names]
    else:  # no certificate is for a name of two dots more
        sources = [f"https://{host}/{name}/" if "." in name else f"https://{name}.{host}" for name in names]
    whole = "".join(f" {source}" for source in sources)
    return whole if len(whole) <= LONGEST_SOURCES else f" https://{host} https://*.{host}"


def _is_feature(path: Mapping[str, Any]) -> bool:
    return any(not FEATURE_TAGS.isdisjoint(operation["tags"]) for operation in path.values())


@cache
def load(name: str) -> Asset:
    """One of the files of NAMES as it is served; read when it is first asked for, to start fast."""
    source = WITH_CATALOGUE if name == DOCUMENT and os.environ.get("CATALOGUE") == "yes" else name
    text = (ASSETS / source).read_text("utf-8")
    if name == DOCUMENT:
        text = json.dumps(deployed(json.loads(text), os.environ), separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    # weak, because the gateway may compress: the same content in other bytes
    return Asset(text, CONTENT_TYPES[Path(name).suffix], f'W/"{digest}"')


def _still_current(headers: Mapping[str, str], etag: str) -> bool:
    """Whether If-None-Match (RFC 9110 section 13.1.2, weak comparison) names the current content."""
    given = next((value for name, value in headers.items() if name.lower() == "if-none-match"), "")
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def _not_found(name: str, request_id: str) -> dict[str, Any]:
    message = f'The API Explorer has no file "{name[:64]}". Open its page at /api-explorer.'
    body = json.dumps({"code": "NotFound", "message": message, "requestId": request_id})
    headers = {"Content-Type": "application/json", "Cache-Control": REVALIDATE, "X-Request-Id": request_id}
    return _response(404, headers, body)


def _response(status: int, headers: Mapping[str, str], body: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {
            "Content-Security-Policy": POLICY.format(buckets=buckets(os.environ)),
            **SECURITY_HEADERS,
            **headers,
        },
        "body": body,
        "isBase64Encoded": False,
    }


NAMES = frozenset(file.name for file in ASSETS.iterdir()) - {WITH_CATALOGUE}
VERSION = load("version.txt").body
