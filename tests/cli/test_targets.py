"""The command line against a local server, and by the name of a stack."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from tests.support.command import run

LocalStack = Callable[..., str]
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "example-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
}


def test_the_local_server_gives_what_the_process_gives(local_stack: LocalStack, folder: Path) -> None:
    url = f"{local_stack()}/prod/image-similarity"
    pair = ("compare", folder / "cat.jpg", folder / "coffee.bmp")
    there, here = run(*pair, "--url", url), run(*pair)
    assert there.exit_code == 0, there.stderr
    assert float(there.stdout) == pytest.approx(float(here.stdout), abs=1e-5)
    assert len(run("embed", folder, "--url", url).stdout.splitlines()) == 3


@pytest.fixture
def stack_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Makes a stack of moto's CloudFormation with our outputs and parameters."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with mock_aws(config={"core": {"mock_credentials": False}}):

        def make(authorization: str, url: str) -> None:
            template = {
                "Parameters": {"APIGatewayAuthorization": {"Type": "String"}},
                "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
                "Outputs": {"ImageSimilarity": {"Value": url}} if url else {},
            }
            boto3.client("cloudformation", "us-east-1").create_stack(
                StackName="similarity",
                TemplateBody=json.dumps(template),
                Parameters=[{"ParameterKey": "APIGatewayAuthorization", "ParameterValue": authorization}],
            )

        yield make


@pytest.mark.parametrize("authorization", ["AWS_IAM", "NONE"])
def test_a_stack_is_found_by_name_and_signed_for(
    local_stack: LocalStack, stack_named: Callable[[str, str], None], folder: Path, authorization: str
) -> None:
    origin = local_stack(f"APIGatewayAuthorization={authorization}", KEYS)
    stack_named(authorization, f"{origin}/prod/image-similarity")
    done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--stack", "similarity")
    assert (done.exit_code, done.stdout) == (0, "1.000000\n"), done.stderr


def test_a_protected_server_tells_to_sign(local_stack: LocalStack, folder: Path) -> None:
    url = f"{local_stack('APIGatewayAuthorization=AWS_IAM', KEYS)}/prod/image-similarity"
    pair = ("compare", folder / "cat.jpg", folder / "cat.jpg", "--url", url)
    unsigned = run(*pair)
    assert unsigned.exit_code == 2
    assert "--sign" in unsigned.stderr
    signed = run(*pair, "--sign", **KEYS)
    assert (signed.exit_code, signed.stdout) == (0, "1.000000\n"), signed.stderr
    wrong = run(*pair, "--sign", **{**KEYS, "AWS_SECRET_ACCESS_KEY": "wrong"})
    assert wrong.exit_code == 2
    assert "signed with AKIDEXAMPLE" in wrong.stderr


def test_a_stack_without_the_feature_or_unknown_is_told(
    stack_named: Callable[[str, str], None], folder: Path
) -> None:
    stack_named("AWS_IAM", "")
    for name, sentence in (("similarity", "has no output ImageSimilarity"), ("other", "can't be read")):
        done = run("compare", folder / "cat.jpg", folder / "cat.jpg", "--stack", name)
        assert done.exit_code == 2
        assert sentence in done.stderr
