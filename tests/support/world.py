"""What the contract's requests refer to: pictures, and an HTTP and an S3 server that have them."""

import base64
import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
from moto.server import ThreadedMotoServer
from PIL import Image

from tests.support.photos import samples

BUCKET = "listed-bucket"
MAX_FILE_BYTES = 20 * 1024**2
S3_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@cache
def picture(name: str = "chelsea", file_format: str = "JPEG", size: tuple[int, int] = (320, 240)) -> bytes:
    """A real picture of scikit-image as a file of the given format."""
    out = io.BytesIO()
    Image.fromarray(samples(name)).convert("RGB").resize(size).save(out, file_format)
    return out.getvalue()


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


class _Files(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path.lstrip("/").partition("?")[0]
        if name.startswith("redirects-"):  # redirects-3 leads through three redirects to a picture
            left = int(name.partition("-")[2])
            target = f"/redirects-{left - 1}" if left > 1 else "/chelsea.jpg"
            self._answer(302, b"", {"Location": target})
        elif name == "large.bin":
            self._answer(200, bytes(MAX_FILE_BYTES + 1))
        elif name == "page.html":
            self._answer(200, b"<html>not a picture</html>")
        elif name == "broken":
            self._answer(500, b"traceback of somebody else's server")
        elif name.partition(".")[0] in ("chelsea", "astronaut"):
            self._answer(200, picture(name.partition(".")[0]))
        else:
            self._answer(404, b"")

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(key, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except ConnectionError:
            self.close_connection = True  # the caller stopped reading at its limit, as it should

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output readable."""


class _FileServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Pass over callers that hang up at their limit; anything else is a defect of the tests."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@dataclass(frozen=True)
class World:
    files_url: str
    s3_endpoint: str

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a backend that may read this world."""
        return {
            **S3_ENVIRONMENT,
            "ALLOW_PRIVATE_SOURCES": "1",
            "IMAGE_BUCKETS": BUCKET,
            "AWS_ENDPOINT_URL_S3": self.s3_endpoint,
        }


@contextmanager
def running_world() -> Iterator[World]:
    files = _FileServer(("127.0.0.1", 0), _Files)
    threading.Thread(target=files.serve_forever, args=(0.01,), daemon=True).start()
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    host, port = s3.get_host_and_port()
    world = World(f"http://127.0.0.1:{files.server_port}", f"http://{host}:{port}")
    client = boto3.client(
        "s3",
        endpoint_url=world.s3_endpoint,
        aws_access_key_id=S3_ENVIRONMENT["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=S3_ENVIRONMENT["AWS_SECRET_ACCESS_KEY"],
        region_name=S3_ENVIRONMENT["AWS_DEFAULT_REGION"],
    )
    for bucket in (BUCKET, "other-bucket"):
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="photos/chelsea.jpg", Body=picture())
    client.put_object(Bucket=BUCKET, Key="large.bin", Body=bytes(MAX_FILE_BYTES + 1))
    try:
        yield world
    finally:
        s3.stop()
        files.shutdown()
        files.server_close()
