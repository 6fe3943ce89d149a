"""What the OpenAPI document gives as examples of answers is what the service really answers."""

import base64
import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from api_explorer.document import document
from image_similarity.inference.service import Request, Service, load_service

DOCUMENT = document()
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def service() -> Service:
    return load_service({}, threads=1)


def ask(service: Service, body: bytes | dict[str, str], headers: dict[str, str] = JSON) -> tuple[int, Any]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = service.handle(Request(headers, content))
    return answer.status, json.loads(answer.body)


def responses() -> dict[str, Any]:
    examples: dict[str, Any] = {}
    for response in DOCUMENT["components"]["responses"].values():
        examples |= response["content"]["application/json"]["examples"]
    return {name: example["value"] for name, example in examples.items()}


def requests() -> dict[str, Any]:
    examples = DOCUMENT["components"]["requestBodies"]["Images"]["content"]["application/json"]["examples"]
    return {name: example["value"] for name, example in examples.items()}


def test_the_vector_is_that_of_the_first_example(service: Service) -> None:
    status, answer = ask(service, requests()["vector"])
    assert status == 200
    assert answer["result"] == pytest.approx(responses()["vector"]["result"], abs=1e-5)


@pytest.mark.slow
def test_the_similarity_is_that_of_the_two_cats_and_a_cup_is_less_alike(service: Service) -> None:
    _, alike = ask(service, requests()["similar"])
    _, different = ask(service, requests()["different"])
    assert alike["similarity"] == pytest.approx(responses()["similarity"]["similarity"], abs=1e-5)
    assert different["similarity"] < 0.7 < alike["similarity"]


def png(width: int, height: int) -> str:
    file = io.BytesIO()
    Image.new("1", (width, height)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


REFUSED: dict[str, bytes | dict[str, str]] = {
    "InvalidRequest": {"url": "https://example.com/cat.jpg", "img": "AAAA"},
    "InvalidImage": {"img": base64.b64encode(b"GIF89a").decode()},
    "ImageTooLarge": {"img": png(8000, 6000)},
    "SourceNotAllowed": {"url": "s3://another-bucket/cat.jpg"},
    "PayloadTooLarge": bytes(6 * 1024**2),
}


def told(code: str) -> dict[str, str]:
    return {"code": code, "message": responses()[code]["message"]}


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_is_worded_as_described(service: Service, code: str) -> None:
    _, answer = ask(service, REFUSED[code])
    assert answer | told(code) == answer


def test_another_content_type_is_worded_as_described(service: Service) -> None:
    _, answer = ask(service, b"{}", {"content-type": "text/plain"})
    assert answer | told("UnsupportedMediaType") == answer


class _NothingThere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output readable."""


@pytest.fixture
def empty_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _NothingThere)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/cat.jpg"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_url_that_is_not_there_is_worded_as_described(empty_server: str) -> None:
    service = load_service({"ALLOW_PRIVATE_SOURCES": "1"}, threads=1)
    pair = {"img_1": DOCUMENT["x-pictures"]["cat"], "url_2": empty_server}
    _, answer = ask(service, pair)
    assert answer | told("SourceUnavailable") == answer
