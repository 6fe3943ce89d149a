"""`python -m local` as a user runs it: both backends, both ways of authorization, every way to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.stack import PICTURE
from tests.decoders.process_tree import descendants, running
from tests.support.local_stack import LocalRun, running_stack

BODY = json.dumps({"img": PICTURE})
JSON = {"Content-Type": "application/json"}
PAIR = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
LocalStack = Callable[..., str]
SECONDS = 60  # for one answer, on a busy machine


def post(url: str, content: str | bytes = BODY, headers: Mapping[str, str] = JSON) -> httpx.Response:
    return httpx.post(url, content=content, headers=dict(headers), trust_env=False, timeout=SECONDS)


def signed_headers(
    url: str, content: str = BODY, secret: str = PAIR["AWS_SECRET_ACCESS_KEY"]
) -> dict[str, str]:
    request = AWSRequest("POST", url, data=content.encode(), headers=JSON)
    SigV4Auth(Credentials("AKIDEXAMPLE", secret), "execute-api", "us-east-1").add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_both_backends_answer_on_both_paths(local_stack: LocalStack, backend: str) -> None:
    origin = local_stack(f"ImageSimilarity={backend}")
    answers = [post(f"{origin}/prod/{path}") for path in ("image-similarity", "text_similarity")]
    assert [answer.status_code for answer in answers] == [200, 200]
    vectors = [answer.json()["result"] for answer in answers]
    assert len(vectors[0]) == 512
    assert vectors[0] == vectors[1]
    for answer in answers:
        assert answer.headers["x-model"].startswith("embedded/")
        assert "encode;dur=" in answer.headers["server-timing"]
        assert answer.headers["x-request-id"] == answer.headers["x-amzn-requestid"]
        assert answer.headers["access-control-allow-origin"] == "*"


def test_both_backends_give_the_same_vector(local_stack: LocalStack) -> None:
    vectors = [
        post(f"{local_stack(f'ImageSimilarity={backend}')}/prod/image-similarity").json()["result"]
        for backend in ("yes-lambda", "yes-sagemaker")
    ]
    assert vectors[0] == pytest.approx(vectors[1], abs=1e-5)


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_a_containers_refusal_comes_through(local_stack: LocalStack, backend: str) -> None:
    url = f"{local_stack(f'ImageSimilarity={backend}')}/prod/image-similarity"
    refused = post(url, '{"img": 1}')
    assert (refused.status_code, refused.json()["code"]) == (400, "InvalidRequest")
    assert refused.json()["requestId"] == refused.headers["x-amzn-requestid"]
    large = post(url, b" " * (5 * 1024**2 + 1))
    assert (large.status_code, large.json()["code"]) == (413, "PayloadTooLarge")
    assert post(url, bytes(10 * 1024**2 + 1)).status_code == 413


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_concurrent_requests_all_get_their_answer(local_stack: LocalStack, backend: str) -> None:
    url = f"{local_stack(f'ImageSimilarity={backend}')}/prod/image-similarity"
    with ThreadPoolExecutor(12) as threads:
        answers = list(threads.map(lambda _: post(url), range(24)))
    assert [answer.status_code for answer in answers] == [200] * 24
    assert len({answer.headers["x-request-id"] for answer in answers}) == 24


def test_the_explorer_is_served(local_stack: LocalStack) -> None:
    origin = local_stack("ImageSimilarity=yes-lambda")
    page = httpx.get(f"{origin}/prod/api-explorer", trust_env=False, timeout=SECONDS)
    assert (page.status_code, page.headers["content-type"].split(";")[0]) == (200, "text/html")
    document = httpx.get(f"{origin}/prod/api-explorer/openapi.json", trust_env=False, timeout=SECONDS).json()
    assert "/image-similarity" in document["paths"]


def test_preflight_is_open_and_other_methods_are_not(local_stack: LocalStack) -> None:
    url = f"{local_stack('ImageSimilarity=yes-lambda')}/prod/image-similarity"
    preflight = httpx.options(url, trust_env=False, timeout=SECONDS)
    assert preflight.status_code == 204
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    for method in ("GET", "HEAD", "PUT", "DELETE"):
        assert httpx.request(method, url, trust_env=False, timeout=SECONDS).status_code == 403
    assert httpx.get(url, trust_env=False, timeout=SECONDS).json()["code"] == "Forbidden"


def test_aws_iam_wants_a_signature_with_the_pair_of_the_environment(local_stack: LocalStack) -> None:
    url = f"{local_stack('APIGatewayAuthorization=AWS_IAM', PAIR)}/prod/image-similarity"
    unsigned = post(url)
    assert (unsigned.status_code, unsigned.json()["code"]) == (403, "Forbidden")
    assert post(url, headers=signed_headers(url, secret="other")).status_code == 403
    assert post(url, content="{}", headers=signed_headers(url)).status_code == 403
    assert post(url, headers=signed_headers(url)).status_code == 200
    command = [
        "curl",
        "-s",
        "-o",
        os.devnull,
        "-w",
        "%{http_code}",
        "--aws-sigv4",
        "aws:amz:us-east-1:execute-api",
    ]
    command += ["--user", f"{PAIR['AWS_ACCESS_KEY_ID']}:{PAIR['AWS_SECRET_ACCESS_KEY']}"]
    command += ["-H", "Content-Type: application/json", "-d", BODY, f"{url}?a=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=SECONDS)
    assert done.stdout == "200"


def test_a_pair_is_made_and_printed_where_the_environment_has_none() -> None:
    with running_stack("APIGatewayAuthorization=AWS_IAM ImageSimilarity=no APIExplorer=no") as run:
        assert run.origin
        assert "AWS_ACCESS_KEY_ID=" in run.output
        assert "AWS_SECRET_ACCESS_KEY=" in run.output


def test_no_feature_leaves_the_api_with_its_name() -> None:
    with running_stack("ImageSimilarity=no APIExplorer=no APIGatewayStageName=dev") as run:
        root = httpx.get(f"{run.origin}/dev", trust_env=False, timeout=SECONDS)
        assert root.json() == {"service": "image-similarity"}
        assert post(f"{run.origin}/dev/image-similarity").status_code == 403
        assert f"{run.origin}/dev/image-similarity" not in run.output
        assert httpx.get(f"{run.origin}/healthz", trust_env=False, timeout=SECONDS).status_code == 200


def test_only_loopback_is_listened_on() -> None:
    with running_stack("ImageSimilarity=no APIExplorer=no") as run:
        port = int(run.origin.rsplit(":", 1)[1])
        with socket.socket() as other:  # the port is free on every other address
            other.bind(("127.0.0.2", port))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("backend", "number"),
    [
        ("yes-lambda", signal.SIGINT),
        ("yes-lambda", signal.SIGTERM),
        ("yes-lambda", signal.SIGKILL),
        ("yes-sagemaker", signal.SIGINT),
        ("yes-sagemaker", signal.SIGHUP),
        ("yes-sagemaker", signal.SIGKILL),
    ],
)
def test_stopping_leaves_no_process(backend: str, number: signal.Signals) -> None:
    run = LocalRun("--port", "0", "--parameters", f"ImageSimilarity={backend}")
    try:
        assert post(f"{run.origin}/prod/image-similarity").status_code == 200
        children = descendants(run.process.pid)
        assert children
    finally:
        status = run.stop(number)
    assert status == (-signal.SIGKILL if number == signal.SIGKILL else 0)
    assert left(children) == []


def test_stopping_while_it_sets_up_leaves_no_process() -> None:
    run = LocalRun("--port", "0", "--parameters", "ImageSimilarity=yes-sagemaker")
    while "SageMaker endpoint" not in run.output:
        assert run.process.poll() is None, run.output
        time.sleep(0.01)
    time.sleep(0.2)
    children = descendants(run.process.pid)
    assert run.stop() == 0
    assert left(children) == []


def test_a_port_in_use_is_a_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run = LocalRun("--port", str(taken.getsockname()[1]))
        assert run.wait() == 1
    assert "can't be used" in run.output
    assert "PORT=" in run.output
    assert "Traceback" not in run.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--parameters", "ImageSimilarity=maybe"], "allowed are yes-lambda, yes-sagemaker, no."),
        (["--parameters", "Colour=red"], "Colour is not a parameter; the parameters are "),
        (["--parameters", "lambda"], "'lambda' is not NAME=value"),
        (["--model", "ViT B"], "write embedded, or a model and its weights such as ViT-B-32:"),
    ],
)
def test_a_wrong_argument_is_a_sentence(arguments: list[str], message: str) -> None:
    run = LocalRun("--port", "0", *arguments)
    assert run.wait() == 1
    assert message in run.output
    assert "Traceback" not in run.output


def test_help_names_every_option() -> None:
    run = LocalRun("--help")
    assert run.wait() == 0
    for option in ("--port", "--parameters", "--pictures", "--model", "--no-emulator"):
        assert option in run.output


def test_the_bare_handler_is_said_loudly() -> None:
    run = LocalRun("--port", "0", "--no-emulator")
    try:
        assert post(f"{run.origin}/prod/image-similarity").status_code == 200
        assert "NOTE: without AWS's Lambda emulator" in run.output
    finally:
        run.stop()


def left(pids: list[int]) -> list[int]:
    """Those that stay: a process that sees its parent go needs a moment for its own end."""
    deadline = time.monotonic() + SECONDS
    while (staying := [pid for pid in pids if running(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return staying
