"""The code samples of the documentation that this project answers for, word for word, on both backends.

`tests/data/seed` holds them as they were published. A test fills in the API's id, the region, the stage and
the picture's address, as a reader does, and changes nothing else: scheme, host name and path stay, and calls
are signed for that host. How the host is reached on this machine: `tests/support/named_host.py`. Java's lines
are put into a class, without which they can't be compiled; Postman's steps into a collection, which is how
Postman keeps them.
"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.filled import KEYS, NEWMAN, ROOT, commands, need, run_command
from tests.support.named_host import Authority, Way, authority, named_host
from tests.support.windows import cmd_arguments

LocalStack = Callable[..., str]
SAMPLES = ROOT / "tests" / "data" / "seed"
REGION, STAGE = "us-east-1", "prod"
HOST = f"a1b2c3d4e5.execute-api.{REGION}.amazonaws.com"
PLACES = {
    "[API_ID]": "a1b2c3d4e5",
    "[AWS_REGION]": REGION,
    "[STAGE]": STAGE,
    "xxxxxxxxxxx.execute-api.xxxxxxxxx": f"a1b2c3d4e5.execute-api.{REGION}",
}
BACKENDS = ["yes-lambda", "yes-sagemaker"]
ENVIRONMENT = {**KEYS, "ALLOW_PRIVATE_SOURCES": "1"}
JAVA = """\
import okhttp3.*;

public class Sample {
    public static void main(String[] arguments) throws Exception {
%s
        System.out.println(response.body().string());
        System.exit(response.code() == 200 ? 0 : 1);
    }
}
"""


def filled(name: str, picture: str) -> str:
    """A sample with its places filled."""
    text = (SAMPLES / name).read_text("utf-8")
    for place, value in {**PLACES, "Image URL address": picture}.items():
        text = text.replace(place, value)
    assert not re.search(r"\[[A-Z_]+\]|xxx|address", text), text
    assert picture in text
    return text


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(HOST, tmp_path_factory.mktemp("authority"))


def served(local_stack: LocalStack, trusted: Authority, backend: str, authorization: str) -> Iterator[Way]:
    origin = local_stack(
        f"ImageSimilarity={backend} APIGatewayAuthorization={authorization} APIGatewayStageName={STAGE}",
        ENVIRONMENT,
    )
    with named_host(HOST, origin, trusted) as way:
        yield way


@pytest.fixture(params=BACKENDS)
def opened(local_stack: LocalStack, trusted: Authority, request: pytest.FixtureRequest) -> Iterator[Way]:
    """The way to an API with APIGatewayAuthorization=NONE, on each backend."""
    yield from served(local_stack, trusted, request.param, "NONE")


@pytest.fixture(params=BACKENDS)
def signed(local_stack: LocalStack, trusted: Authority, request: pytest.FixtureRequest) -> Iterator[Way]:
    """The way to an API with APIGatewayAuthorization=AWS_IAM, on each backend."""
    yield from served(local_stack, trusted, request.param, "AWS_IAM")


def run(command: list[str], cwd: Path, way: Way, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_command(command, cwd, {**way.environment, **environment})


def check_vector(answer: dict[str, list[float]]) -> None:
    assert list(answer) == ["result"], answer
    assert len(answer["result"]) == 512
    assert sum(number * number for number in answer["result"]) == pytest.approx(1, abs=1e-3)


def test_python_with_aws_iam(signed: Way, picture_url: str, tmp_path: Path) -> None:
    """It sends no Content-Type, and signs with the package aws-requests-auth."""
    script = tmp_path / "sample.py"
    script.write_text(filled("python-aws-iam.txt", picture_url), "utf-8")
    done = run([sys.executable, str(script)], tmp_path, signed, **KEYS)
    assert done.returncode == 0, done.stderr
    check_vector(ast.literal_eval(done.stdout))
    refused = run(
        [sys.executable, str(script)], tmp_path, signed, **KEYS | {"AWS_SECRET_ACCESS_KEY": "other"}
    )
    assert ast.literal_eval(refused.stdout)["code"] == "Forbidden"


def test_postman(signed: Way, picture_url: str, tmp_path: Path) -> None:
    """The steps: the output's URL, POST, AWS Signature with keys and region, Body raw and JSON, Send."""
    values = {
        "accessKey": KEYS["AWS_ACCESS_KEY_ID"],
        "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"],
        "region": REGION,
    }
    auth = [{"key": key, "value": value, "type": "string"} for key, value in values.items()]
    call = {
        "method": "POST",
        "url": f"https://{HOST}/{STAGE}/image-similarity",
        "auth": {"type": "awsv4", "awsv4": auth},
        "body": {
            "mode": "raw",
            "raw": filled("postman-body.txt", picture_url),
            "options": {"raw": {"language": "json"}},
        },
    }
    collection = {
        "info": {
            "name": "Steps",
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "item": [{"name": "Send", "request": call}],
    }
    (tmp_path / "steps.json").write_text(json.dumps(collection), "utf-8")
    command = [*commands()[".mjs"], str(NEWMAN), "run", "steps.json", "--color", "off"]
    command += ["--reporters", "json", "--reporter-json-export", "report.json"]
    done = run(command, tmp_path, signed)
    assert done.returncode == 0, done.stdout + done.stderr
    [execution] = json.loads((tmp_path / "report.json").read_text("utf-8"))["run"]["executions"]
    answer = bytes(execution["response"]["stream"]["data"])
    assert execution["response"]["code"] == 200, answer
    check_vector(json.loads(answer))


def test_python_with_none(opened: Way, picture_url: str, tmp_path: Path) -> None:
    script = tmp_path / "sample.py"
    script.write_text(filled("python-none.txt", picture_url), "utf-8")
    done = run([sys.executable, str(script)], tmp_path, opened)
    assert done.returncode == 0, done.stderr
    check_vector(json.loads(done.stdout))


def test_curl_on_linux_and_macos(opened: Way, picture_url: str, tmp_path: Path) -> None:
    script = tmp_path / "sample.sh"
    script.write_text(filled("curl-linux-macos.txt", picture_url), "utf-8")
    done = run(["sh", str(script)], tmp_path, opened)
    assert done.returncode == 0, done.stderr
    check_vector(json.loads(done.stdout))


def test_curl_on_windows(opened: Way, picture_url: str, tmp_path: Path) -> None:
    """There is no cmd.exe here: curl is run with the arguments that it and the C runtime would give."""
    arguments = cmd_arguments(filled("curl-windows.txt", picture_url))
    assert arguments[:4] == ["curl", "--location", "--request", "POST"]
    done = run(arguments, tmp_path, opened)
    assert done.returncode == 0, done.stderr
    check_vector(json.loads(done.stdout))


def test_java(opened: Way, picture_url: str, tmp_path: Path) -> None:
    need("OkHttpCall.java")
    script = tmp_path / "Sample.java"
    script.write_text(JAVA % filled("java.txt", picture_url), "utf-8")
    java, *options = commands()[".java"]
    done = run([java, *opened.java_options, *options, str(script)], tmp_path, opened)
    assert done.returncode == 0, done.stdout + done.stderr
    check_vector(json.loads(done.stdout))
