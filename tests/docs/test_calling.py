"""docs/calling.md: its code is that of examples/; docs/command-line.md: its commands run."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "calling.md"
COMMANDS = ROOT / "docs" / "command-line.md"
LocalStack = Callable[..., str]
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def shown_examples() -> list[tuple[str, str]]:
    return re.findall(r"<!-- (examples/\S+) -->\n```\w+\n(.*?)```\n", PAGE.read_text("utf-8"), re.DOTALL)


def commands() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", COMMANDS.read_text("utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.parametrize(("name", "text"), shown_examples(), ids=[name for name, _ in shown_examples()])
def test_the_code_shown_is_the_code_that_is_run(name: str, text: str) -> None:
    assert text == (ROOT / name).read_text("utf-8")


def test_every_marker_shows_its_file() -> None:
    assert len(shown_examples()) == PAGE.read_text("utf-8").count("<!-- examples/") > 5


@pytest.mark.parametrize("page", [PAGE, COMMANDS], ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!http|#)([^)#]+)\)", page.read_text("utf-8")):
        assert (page.parent / link).exists(), link


@pytest.fixture(scope="module")
def cloudformation() -> Iterator[str]:
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def make_stack(endpoint: str, url: str) -> None:
    template = {
        "Parameters": {"APIGatewayAuthorization": {"Type": "String", "Default": "AWS_IAM"}},
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"ImageSimilarity": {"Value": url}},
    }
    client = boto3.client(
        "cloudformation",
        "us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_stack(StackName="ImageSimilarity", TemplateBody=json.dumps(template))


def test_every_command_runs(local_stack: LocalStack, cloudformation: str, tmp_path: Path) -> None:
    opened = f"{local_stack()}/prod/image-similarity"
    make_stack(
        cloudformation, f"{local_stack('APIGatewayAuthorization=AWS_IAM', KEYS)}/prod/image-similarity"
    )
    for name in ("docs", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    environment = {
        **os.environ,
        **KEYS,
        "AWS_ENDPOINT_URL_CLOUDFORMATION": cloudformation,
        "PYTHONPATH": str(ROOT),
        "XDG_DATA_HOME": str(tmp_path / "data"),
    }
    run = commands()
    assert len(run) >= 7
    for command in run:
        here = command.replace("http://127.0.0.1:8080/prod/image-similarity", opened)
        here = here.replace("--local", f"--url {opened}")  # the port is another one here
        done = subprocess.run(
            ["sh", "-c", here], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    for name in ("vectors.npy", "vectors.json", "vectors.jsonl", "report.html"):
        assert (tmp_path / name).stat().st_size > 0


def test_the_matrix_is_drawn_anew(tmp_path: Path) -> None:
    drawn = tmp_path / "matrix.png"
    script = ROOT / "docs" / "images" / "similarity_matrix.py"
    python = ROOT / ".venv" / "bin" / "python"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([python, script, drawn], env=environment, check=True, timeout=120)
    with Image.open(drawn) as image, Image.open(script.with_name("similarity-matrix.png")) as committed:
        assert image.size == committed.size
        difference = np.asarray(image.convert("RGB"), np.int16) - np.asarray(committed.convert("RGB"))
    assert np.abs(difference).mean() < 1, "another processor may round a colour, never a number"
