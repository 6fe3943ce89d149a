"""Every example is run as it stands, against the local gateway, open and protected."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from api_explorer.document import document
from tests.support.filled import (
    EXAMPLES,
    IMAGE_URL,
    KEYS,
    NEWMAN,
    ROOT,
    SESSION,
    URL,
    answer,
    commands,
    fill,
    need,
    run,
)
from tests.support.windows import cmd_arguments

LocalStack = Callable[..., str]
OPEN = ["curl/open.sh", "python/open.py", "java/OpenCall.java", "javascript/open.mjs"]
SIGNED = ["curl/signed.sh", "python/signed.py", "java/SignedCall.java", "javascript/signed.mjs"]
DATA = {"data/image.json": "result", "data/pair.json": "similarity"}
BATCHES = [
    "curl/batch_open.sh",
    "python/batch_open.py",
    "java/BatchOpenCall.java",
    "javascript/batch_open.mjs",
]
BATCHES_SIGNED = ["python/batch_signed.py"]
BY_URL = ["curl/url.sh", "java/OkHttpCall.java"]
PRIVATE = {"ALLOW_PRIVATE_SOURCES": "1"}


def test_every_example_is_run_here() -> None:
    files = {str(file.relative_to(EXAMPLES)) for file in EXAMPLES.rglob("*.*")}
    assert files == {
        *OPEN,
        *SIGNED,
        *BATCHES,
        *BATCHES_SIGNED,
        *BY_URL,
        *DATA,
        "curl/url.cmd",
        "notebook.ipynb",
        "postman/collection.json",
        "postman/environment.json",
    }


def one_file(example: str) -> dict[str, str]:
    """The place of the pair, filled with one file."""
    if example.endswith(".sh"):
        return {"'cat.jpg' 'other.jpg'": "'cat.jpg'"}
    return {'"cat.jpg", "other.jpg"': '"cat.jpg"'}


@pytest.mark.parametrize("example", OPEN)
def test_open(local_stack: LocalStack, pictures: Path, tmp_path: Path, example: str) -> None:
    need(example)
    url = f"{local_stack('', PRIVATE)}/prod/image-similarity"
    pair = answer(run(fill(example, {URL: url}, tmp_path), pictures, {}))
    assert list(pair) == ["similarity"]
    single = answer(run(fill(example, {URL: url, **one_file(example)}, tmp_path), pictures, {}))
    assert list(single) == ["result"]


def vector_lengths(done: subprocess.CompletedProcess[str]) -> list[int]:
    """Of each picture, whether the example prints the whole answer or a line for each."""
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    if "results" in lines[0]:
        return [len(item["result"]) for item in lines[0]["results"]]
    return [line["numbers"] for line in lines]


@pytest.mark.parametrize("example", BATCHES)
def test_batches(local_stack: LocalStack, pictures: Path, tmp_path: Path, example: str) -> None:
    need(example)
    url = f"{local_stack('', PRIVATE)}/prod/image-similarity"
    done = run(fill(example, {URL: url, "other.jpg": "batch.txt"}, tmp_path), pictures, {})
    assert done.returncode != 0, "a file that is not there"
    assert vector_lengths(run(fill(example, {URL: url}, tmp_path), pictures, {})) == [512, 512]


@pytest.mark.parametrize("example", BATCHES_SIGNED)
def test_signed_batches(local_stack: LocalStack, pictures: Path, tmp_path: Path, example: str) -> None:
    url = f"{local_stack('APIGatewayAuthorization=AWS_IAM', KEYS)}/prod/image-similarity"
    script = fill(example, {URL: url}, tmp_path)
    assert vector_lengths(run(script, pictures, KEYS)) == [512, 512]
    refused = run(script, pictures, {**KEYS, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert refused.returncode != 0
    assert json.loads(refused.stderr)["code"] == "Forbidden"


@pytest.mark.parametrize("example", SIGNED)
@pytest.mark.parametrize("keys", [KEYS, SESSION], ids=["long-term", "temporary"])
def test_signed(
    local_stack: LocalStack, pictures: Path, tmp_path: Path, example: str, keys: dict[str, str]
) -> None:
    need(example)
    if example == "javascript/signed.mjs":  # Node looks for packages beside the script
        (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    url = f"{local_stack('APIGatewayAuthorization=AWS_IAM', keys)}/prod/image-similarity"
    script = fill(example, {URL: url}, tmp_path)
    assert list(answer(run(script, pictures, keys))) == ["similarity"]
    refused = run(script, pictures, {**keys, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert refused.returncode != 0
    assert json.loads(refused.stdout)["code"] == "Forbidden"


@pytest.mark.parametrize("example", BY_URL)
def test_by_url(
    local_stack: LocalStack, pictures: Path, picture_url: str, tmp_path: Path, example: str
) -> None:
    need(example)
    url = f"{local_stack('', PRIVATE)}/prod/image-similarity"
    script = fill(example, {URL: url, IMAGE_URL: picture_url}, tmp_path)
    assert list(answer(run(script, pictures, {}))) == ["result"]


@pytest.mark.parametrize(("name", "field"), DATA.items())
def test_the_bodies_to_send(local_stack: LocalStack, name: str, field: str) -> None:
    url = f"{local_stack('', PRIVATE)}/prod/image-similarity"
    content = (EXAMPLES / name).read_bytes()
    headers = {"Content-Type": "application/json"}
    answered = httpx.post(url, content=content, headers=headers, trust_env=False, timeout=60)
    assert list(answered.json()) == [field]


def test_by_url_on_windows(local_stack: LocalStack, picture_url: str, tmp_path: Path) -> None:
    """There is no cmd.exe here: its rules of quoting are applied, and curl is run with what comes out."""
    url = f"{local_stack('', PRIVATE)}/prod/image-similarity"
    script = fill("curl/url.cmd", {URL: url, IMAGE_URL: picture_url}, tmp_path)
    arguments = cmd_arguments(script.read_text("utf-8"))
    done = subprocess.run([*arguments, "--silent"], capture_output=True, text=True, timeout=200, check=False)
    assert list(answer(done)) == ["result"]


@pytest.mark.parametrize("authorization", ["NONE", "AWS_IAM"])
def test_the_postman_collection(local_stack: LocalStack, picture_url: str, authorization: str) -> None:
    origin = local_stack(f"APIGatewayAuthorization={authorization}", {**SESSION, **PRIVATE})
    values = {
        "baseUrl": f"{origin}/prod",
        "imageUrl": picture_url,
        "accessKey": SESSION["AWS_ACCESS_KEY_ID"],
        "secretKey": SESSION["AWS_SECRET_ACCESS_KEY"],
        "sessionToken": SESSION["AWS_SESSION_TOKEN"],
    }
    command = [
        *commands()[".mjs"],
        str(NEWMAN),
        "run",
        "collection.json",
        "--environment",
        "environment.json",
    ]
    command += ["--folder", f"APIGatewayAuthorization={authorization}", "--color", "off"]
    command += [part for name, value in values.items() for part in ("--env-var", f"{name}={value}")]
    done = subprocess.run(
        command, cwd=EXAMPLES / "postman", capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("✓") == 4, done.stdout


def test_the_pictures_sent_are_those_of_the_document() -> None:
    pictures = document()["x-pictures"]
    collection = json.loads((EXAMPLES / "postman" / "collection.json").read_text("utf-8"))
    for variable in collection["variable"]:
        assert variable["value"] == pictures[variable["key"]]
    pair = json.loads((EXAMPLES / "data" / "pair.json").read_text("utf-8"))
    assert list(pair.values()) == [pictures[name] for name in ("cat", "altered")]
