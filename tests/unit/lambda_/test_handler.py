"""The Lambda adapter against events as API Gateway sends them."""

import base64
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from image_similarity.inference.encoder import OnnxEncoder

ROOT = Path(__file__).resolve().parents[3]
HANDLER = ROOT / "lambda" / "handler.py"


@pytest.fixture(scope="module")
def adapter() -> ModuleType:
    return imported()


def imported() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lambda_handler", HANDLER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def picture() -> str:
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def event(body: object, **changes: object) -> dict[str, Any]:
    text = body if isinstance(body, str) or body is None else json.dumps(body)
    return {
        "resource": "/image-similarity",
        "path": "/image-similarity",
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json"},
        "multiValueHeaders": {"Content-Type": ["application/json"]},
        "queryStringParameters": None,
        "requestContext": {"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "stage": "prod"},
        "body": text,
        "isBase64Encoded": False,
        **changes,
    }


def answer(adapter: ModuleType, sent: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
    response = adapter.handler(sent, None)
    assert response["isBase64Encoded"] is False
    assert all(isinstance(value, str) for value in response["headers"].values())
    return response["statusCode"], json.loads(response["body"]), response["headers"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("start", "embeddings"), [("on-demand", 0), ("provisioned-concurrency", 1), ("snap-start", 1), (None, 1)]
)
def test_a_start_that_a_request_waits_for_makes_no_embedding_of_its_own(
    monkeypatch: pytest.MonkeyPatch, start: str | None, embeddings: int
) -> None:
    monkeypatch.delenv("AWS_LAMBDA_INITIALIZATION_TYPE", raising=False)
    if start:
        monkeypatch.setenv("AWS_LAMBDA_INITIALIZATION_TYPE", start)
    made: list[OnnxEncoder] = []
    monkeypatch.setattr(OnnxEncoder, "warm", lambda encoder: made.append(encoder))
    adapter = imported()
    assert len(made) == embeddings
    assert answer(adapter, event({"img": picture()}))[0] == 200


@pytest.mark.slow
def test_an_image_is_answered_with_the_gateways_request_id(adapter: ModuleType) -> None:
    status, body, headers = answer(adapter, event({"img": picture()}))
    assert status == 200
    assert len(body["result"]) == 512
    assert headers["X-Request-Id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert headers["Server-Timing"].startswith("fetch;dur=")


def test_a_base64_body_is_the_same_request(adapter: ModuleType) -> None:
    text = json.dumps({"img": picture()})
    encoded = base64.b64encode(text.encode()).decode()
    plain = answer(adapter, event(text))
    assert answer(adapter, event(encoded, isBase64Encoded=True))[1] == plain[1]


@pytest.mark.parametrize(
    ("headers", "multi"),
    [
        ({"content-type": "application/json"}, None),
        ({"CONTENT-TYPE": "application/json; charset=utf-8"}, {}),
        (None, {"Content-type": ["application/json"]}),
        ({}, {"content-type": ["text/plain", "application/json"]}),
    ],
)
def test_headers_count_in_any_case_and_place(adapter: ModuleType, headers: object, multi: object) -> None:
    sent = event({"img": picture()}, headers=headers, multiValueHeaders=multi)
    assert answer(adapter, sent)[0] == 200


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (event(None), 400, "InvalidRequest"),
        (event(""), 400, "InvalidRequest"),
        (event('{"img": "\ud800"}'), 400, "InvalidRequest"),
        (event({"img": "QUJD"}, headers={"content-type": "a/b"}), 415, "UnsupportedMediaType"),
        (event({"img": "QUJD"}, headers=None, multiValueHeaders=None), 400, "InvalidImage"),
        (event({"img": "QUJD"}, headers={"Content-Type": ""}), 400, "InvalidImage"),
        ({}, 400, "InvalidRequest"),
        (event({"img": "x" * 6_000_000}), 413, "PayloadTooLarge"),
        (event({"img": "QUJD"}), 400, "InvalidImage"),
    ],
)
def test_what_the_service_refuses_reaches_the_caller(
    adapter: ModuleType, sent: dict[str, Any], status: int, code: str
) -> None:
    found, body, headers = answer(adapter, sent)
    assert (found, body["code"]) == (status, code)
    assert body["requestId"] == headers["X-Request-Id"] != ""


@pytest.mark.parametrize("junk", ["a", "QQ", "QQ=", "e30=!", "e\n30=", "e30=e30=", "{}", "e30é", "\ud800"])
def test_a_body_that_is_said_to_be_base64_and_is_not(
    adapter: ModuleType, junk: str, caplog: pytest.LogCaptureFixture
) -> None:
    status, body, headers = answer(adapter, event(junk, isBase64Encoded=True))
    assert (status, body["code"]) == (400, "InvalidRequest")
    assert "base64" in body["message"]
    assert body["requestId"] == headers["X-Request-Id"] == "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
    assert not caplog.records


@pytest.mark.parametrize(
    "changes", [{"body": 7}, {"headers": 7}, {"requestContext": 7}, {"body": 7, "isBase64Encoded": True}]
)
def test_a_defect_is_a_500_without_a_trace_of_it(
    adapter: ModuleType, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    status, body, _ = answer(adapter, event({"img": "QUJD"}) | changes)
    assert (status, body["code"]) == (500, "InternalError")
    assert set(body) == {"code", "message", "requestId"}
    assert "Traceback" not in json.dumps(body)
    assert "Error:" not in json.dumps(body)
    assert caplog.records[-1].exc_info


def started_with(model: Path) -> tuple[int, str]:
    """Exit code and output of a process that imports the handler, as Lambda's runtime does."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{HANDLER.parent}", "MODEL_DIR": str(model)}
    command = [sys.executable, "-c", "import handler"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_a_missing_model_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    code, output = started_with(tmp_path)
    assert code == 1
    assert len(output.splitlines()) == 1
    assert output.startswith("The model can't be loaded: ")
    assert "manifest.json does not exist" in output


@pytest.mark.slow
def test_a_setting_that_cant_be_used_ends_the_start_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("USER_AGENT_CONTACT", "nobody")
    code, output = started_with(ROOT / "models" / "embedded")
    assert code == 1
    assert len(output.splitlines()) == 1
    assert output.startswith("A setting can't be used: USER_AGENT_CONTACT is 'nobody'; set a URL")


@pytest.mark.slow
def test_a_damaged_model_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(ROOT / "image_similarity" / "models" / "embedded", model)
    with (model / "model.onnx.data").open("r+b") as weights:
        weights.seek(1000)
        weights.write(b"damaged")
    code, output = started_with(model)
    assert code == 1
    assert len(output.splitlines()) == 1
    assert output.startswith("The model can't be loaded: model.onnx.data has the checksum ")


@pytest.mark.parametrize(
    ("memory", "threads"),
    [
        ("128", 1),
        ("1024", 1),
        ("1769", 1),
        ("1920", 1),
        ("2048", 2),
        ("3008", 2),
        ("3538", 2),
        ("5307", 3),
        ("10240", 6),
    ],
)
def test_threads_follow_the_memory(adapter: ModuleType, memory: str, threads: int) -> None:
    assert adapter.encoder_threads({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}) == threads
    assert adapter.encoder_threads({}) == 1
