"""The service's own part: headers, ids, rounding, and what happens when something of ours breaks."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.inference import image
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.errors import InvalidImage, Unavailable
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.loading import DEFAULT_MODEL_DIR
from image_similarity.inference.manifest import ManifestError, Preprocessing
from image_similarity.inference.service import (
    Request,
    Service,
    load_service,
    valid_request_id,
)
from image_similarity.inference.sources import SourcePolicy
from tests.support.servers import ok, serving
from tests.support.world import b64, picture

JSON = {"content-type": "application/json"}
IMAGE = Request(JSON, json.dumps({"img": b64(picture())}).encode(), "an-id")


class BrokenEncoder(OnnxEncoder):
    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise RuntimeError("/secret/path: the GPU is on fire")


@pytest.fixture(scope="module")
def working() -> Service:
    return load_service({}, threads=1)


def test_a_defect_is_a_500_that_tells_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    broken = Service(BrokenEncoder(DEFAULT_MODEL_DIR, threads=1), SourcePolicy.from_environment({}))
    response = broken.handle(IMAGE)
    assert response.status == 500
    body = json.loads(response.body)
    assert (body["code"], body["requestId"]) == ("InternalError", "an-id")
    assert "secret" not in response.body.decode()
    assert "GPU is on fire" in caplog.text
    assert "Server-Timing" not in response.headers


@pytest.mark.slow
def test_a_refused_pair_is_answered_when_neither_picture_is_decoded_any_more(
    working: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[bytes] = []

    def decode(data: bytes, *, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        if data == b"broken":
            raise InvalidImage("broken.")
        time.sleep(0.3)
        decoded.append(data)
        return np.zeros((preprocessing.size, preprocessing.size, 3), np.uint8)

    monkeypatch.setattr(image, "decode", decode)
    pair = {"img_1": b64(b"broken"), "img_2": b64(b"good")}
    response = working.handle(Request(JSON, json.dumps(pair).encode()))
    assert json.loads(response.body)["message"] == "img_1: broken."
    assert decoded == [b"good"]


def test_answers_carry_the_contract_s_headers(working: Service) -> None:
    response = working.handle(IMAGE)
    assert response.status == 200
    assert response.headers["X-Request-Id"] == "an-id"
    assert response.headers["X-Model"].startswith("embedded/")
    assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("headers", "body", "status", "code"),
    [
        ({"content-type": "text/plain"}, b"{}", 415, "UnsupportedMediaType"),
        (JSON, b" " * (MAX_BODY_BYTES + 1), 413, "PayloadTooLarge"),
        (JSON, b"{", 400, "InvalidRequest"),
        (JSON, b'{"img": "QUJD"}', 400, "InvalidImage"),
        (JSON, json.dumps({"img": b64(picture(size=(4097, 1)))}).encode(), 400, "ImageTooLarge"),
        (JSON, b'{"url": "http://127.0.0.1/"}', 400, "SourceNotAllowed"),
    ],
)
def test_a_refusal_has_its_status_and_its_code(
    working: Service, headers: dict[str, str], body: bytes, status: int, code: str
) -> None:
    response = working.handle(Request(headers, body))
    assert (response.status, response.code, json.loads(response.body)["code"]) == (status, code, code)
    assert (response.images, response.timings) == (0, {})


def test_the_similarity_of_a_pair_is_that_of_its_vectors(working: Service) -> None:
    cat, cup = b64(picture()), b64(picture("coffee"))
    bodies: list[dict[str, str]] = [{"img": cat}, {"img": cup}, {"img_1": cat, "img_2": cup}]
    first, second, pair = (
        json.loads(working.handle(Request(JSON, json.dumps(body).encode())).body) for body in bodies
    )
    cosine = np.dot(first["result"], second["result"])
    assert pair["similarity"] == pytest.approx((1 + cosine) / 2, abs=1e-5)
    assert pair["similarity"] < 0.9


def test_a_server_that_does_not_have_the_file_is_the_callers_error() -> None:
    policy = SourcePolicy.from_environment({"ALLOW_PRIVATE_SOURCES": "1"})
    service = Service(OnnxEncoder(DEFAULT_MODEL_DIR, threads=1), policy)
    with serving(ok(b"x").replace(b"200 OK", b"404 Not Found")) as server:
        response = service.handle(Request(JSON, json.dumps({"url": server.url}).encode()))
    assert (response.status, response.code) == (400, "SourceUnavailable")


def test_vectors_are_counted(working: Service) -> None:
    pair = json.dumps({"img_1": b64(picture()), "img_2": b64(picture("coffee"))}).encode()
    assert [working.handle(request).images for request in (IMAGE, Request(JSON, pair))] == [1, 2]


def test_refuse_answers_in_the_same_shape(working: Service) -> None:
    response = working.refuse(Unavailable("Full. Try again.", retry_after_seconds=3), "an-id")
    assert response.status == 503
    assert response.headers["Retry-After"] == "3"
    assert json.loads(response.body) == {
        "code": "Unavailable",
        "message": "Full. Try again.",
        "requestId": "an-id",
    }


@pytest.mark.parametrize("unfit", [None, "", "a\r\nSet-Cookie: b", "é", "x" * 129])
def test_an_id_unfit_for_a_header_is_replaced(unfit: str | None) -> None:
    assert uuid.UUID(valid_request_id(unfit)).version == 4


def test_a_missing_model_stops_the_start_with_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="manifest"):
        load_service({"MODEL_DIR": str(tmp_path)}, threads=1)


def test_fetched_files_are_held_by_their_bytes_until_they_are_decoded(working: Service) -> None:
    sizes: list[int] = []

    @contextmanager
    def holding(size: int) -> Iterator[None]:
        sizes.append(size)
        if size:
            raise Unavailable("full")
        yield

    policy = SourcePolicy.from_environment({"ALLOW_PRIVATE_SOURCES": "1"})
    service = Service(OnnxEncoder(DEFAULT_MODEL_DIR, threads=1), policy, holding=holding)
    with serving(ok(picture())) as server:
        fetched = service.handle(Request(JSON, json.dumps({"url": server.url}).encode(), "an-id"))
    data_uri = Request(JSON, json.dumps({"url": f"data:;base64,{b64(picture())}"}).encode())
    assert [fetched.status, service.handle(IMAGE).status, service.handle(data_uri).status] == [503, 200, 200]
    assert sizes == [len(picture()), 0, 0]
