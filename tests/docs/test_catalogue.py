"""docs/calling.md, "Search a catalogue": its commands run, against the adapter behind a small server."""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.catalogue.aws import OnAws, adapter, index_waiting, running
from tests.support.world import picture

PAGE = Path(__file__).parents[2] / "docs" / "calling.md"
API = "API='https://API_ID.execute-api.REGION.amazonaws.com/STAGE'"
CALLER = {"userArn": "arn:aws:iam::123456789012:user/ann"}


def commands() -> dict[str, str]:
    found = re.findall(r"<!-- catalogue: (\w+) -->\n```sh\n(.*?)```\n", PAGE.read_text("utf-8"), re.DOTALL)
    return dict(found)


@pytest.fixture(scope="module")
def aws() -> Iterator[OnAws]:
    with running() as on_aws:
        yield on_aws


@pytest.fixture(scope="module")
def module(aws: OnAws) -> Iterator[ModuleType]:
    with adapter(aws.environment) as module:
        yield module


@pytest.fixture(scope="module")
def url(module: ModuleType) -> Iterator[str]:
    """A stage as far as the commands see it; that a signature is right is not looked at here."""

    class Stage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            identity = CALLER if self.headers.get("Authorization", "").startswith("AWS4-HMAC-SHA256") else {}
            event: Mapping[str, Any] = {
                "httpMethod": self.command,
                "resource": self.path.removeprefix("/prod"),
                "headers": dict(self.headers),
                "requestContext": {"requestId": "id", "identity": identity},
                "body": body or None,
            }
            answer = module.answer(event, None)
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        do_POST = do_GET  # noqa: N815 - the name that http.server looks for

        def log_message(self, format: str, *args: object) -> None:
            """Keep the tests' output readable."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stage)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/prod"
    server.shutdown()
    thread.join()
    server.server_close()


def run(name: str, url: str, aws: OnAws, folder: Path) -> list[dict[str, Any]]:
    """The answers that a block of commands prints, one after another."""
    text = commands()[name].replace(API, f"API='{url}'").replace("my-bucket", aws.bucket)
    environment = {"PATH": "/usr/bin:/bin", "API": url, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE"}
    done = subprocess.run(
        ["sh", "-euc", text],
        cwd=folder,
        env={**environment, "AWS_SECRET_ACCESS_KEY": "example-secret", "no_proxy": "*"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    decoder, answers, rest = json.JSONDecoder(), [], done.stdout
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append(answer)
        rest = rest[end:].lstrip()
    return answers


def test_the_commands_one_after_another(aws: OnAws, module: ModuleType, url: str, tmp_path: Path) -> None:
    assert set(commands()) == {"sync", "status", "search"}
    (tmp_path / "cat.jpg").write_bytes(picture())
    key = aws.put("cats/cat.jpg", picture())
    copy = aws.put("cats/copy.png", picture("chelsea", "PNG"))
    aws.put("cats/other.jpg", picture("astronaut"))
    elsewhere = aws.put("elsewhere.png", picture("chelsea", "PNG"))
    [sync] = run("sync", url, aws, tmp_path)
    assert sync["state"] == "running"
    index_waiting(aws, module)
    [status] = run("status", url, aws, tmp_path)
    assert (status["failed"], status["lastSync"]["queued"]) == (0, 4)
    by_file, by_key = run("search", url, aws, tmp_path)
    assert [match["key"] for match in by_file["matches"]][:3] == [key, copy, elsewhere]
    assert len(by_file["matches"]) == 4
    assert [match["key"] for match in by_key["matches"]] == [key, copy]
