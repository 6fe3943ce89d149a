"""`make publish` with the real command line: what lands in the bootstrap, and what the printed link opens.

The services are moto's on loopback; the engine is a script that notes what it was told to push.
"""

import copy
import json
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer

from cdk_app import quick_create
from tests.cloudformation.engine import Engine
from tests.infrastructure.account import Account, account
from tests.infrastructure.stack import Stack, assembled
from tests.infrastructure.synthesis import Synthesized, functions, of_type

ROOT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "eu-west-1"
BUCKET = f"cdk-hnb659fds-assets-{ACCOUNT}-{REGION}"
REPOSITORY = f"cdk-hnb659fds-container-assets-{ACCOUNT}-{REGION}"
ENGINE = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/log"
case "$1 $2" in
  "buildx version") echo github.com/docker/buildx v0.29.1 ;;
  "login "*) cat > /dev/null ;;
  "inspect "*) exit 1 ;;
esac
"""


class Published:
    """What `make publish` did."""

    def __init__(self, s3: Any, folder: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.s3, self.done = s3, done
        self.assembly = Synthesized(folder / "out")
        self.engine_log = (folder / "log").read_text().splitlines()
        self.link = (folder / "out" / quick_create.FILE).read_text().strip()

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.link).fragment.partition("?")[2])

    def opened(self) -> dict[str, Any]:
        """The template behind the link, from the bucket."""
        url = urlsplit(self.query["templateURL"][0])
        assert url.netloc == f"{BUCKET}.s3.{REGION}.amazonaws.com"
        body = self.s3.get_object(Bucket=BUCKET, Key=url.path.lstrip("/"))["Body"]
        template: dict[str, Any] = json.loads(body.read())
        return template


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("engine")
    engine = folder / "docker"
    engine.write_text(ENGINE)
    engine.chmod(engine.stat().st_mode | stat.S_IXUSR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    address = "http://{}:{}".format(*server.get_host_and_port())
    credentials = {"AWS_ACCESS_KEY_ID": "test-key", "AWS_SECRET_ACCESS_KEY": "test-secret"}
    keywords: dict[str, Any] = {"region_name": REGION, "endpoint_url": address}
    keywords |= {name.lower(): value for name, value in credentials.items()}
    try:
        s3 = bootstrapped(keywords)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE"))},
            **credentials,
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": address,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CDK_DOCKER": str(engine),
            "CI": "true",
        }
        # What `make publish` runs, without the registries that it asks for pins.
        make = ["make", "-n", "publish", f"FLAGS=--output {folder}/out"]
        listed = subprocess.run(make, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
        [command] = [
            line for line in listed.stdout.splitlines() if "cdk" in line and "publish-assets" in line
        ]
        done = subprocess.run(
            ["bash", "-c", f'PATH="{ROOT}/.venv/bin:$PATH"; {command}'],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        yield Published(s3, folder, done)
    finally:
        server.stop()


def bootstrapped(keywords: Mapping[str, Any]) -> Any:
    """What `cdk bootstrap` makes, as far as publishing sees it; the client of its bucket."""
    ssm = boto3.client("ssm", **keywords)
    ssm.put_parameter(Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String")
    s3: Any = boto3.client("s3", **keywords)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    boto3.client("ecr", **keywords).create_repository(repositoryName=REPOSITORY)
    return s3


def test_the_link_opens_the_published_template(published: Published) -> None:
    url = urlsplit(published.link)
    assert (url.scheme, url.netloc) == ("https", f"{REGION}.console.aws.amazon.com")
    assert url.query == f"region={REGION}"
    assert published.query["stackName"] == ["ImageSimilarity"]
    assert published.opened() == published.assembly.template


def test_everything_that_the_template_names_is_there(published: Published) -> None:
    """Images under the tags that it names, pushed; and the Explorer's zip in the bucket."""
    resources = published.opened()["Resources"]
    uris = {
        text.replace("${AWS::AccountId}", ACCOUNT).replace("${AWS::Region}", REGION)
        for text in functions(resources, "Fn::Sub")
        if isinstance(text, str) and ".dkr.ecr." in text
    }
    expected = {uri.replace("${AWS::URLSuffix}", "amazonaws.com") for uri in uris}
    pushed = {line.split()[-1] for line in published.engine_log if line.startswith("push ")}
    assert len(pushed) == 2
    assert pushed == expected
    keys = {item["Key"] for item in published.s3.list_objects_v2(Bucket=BUCKET)["Contents"]}
    zips = [
        function["Properties"]["Code"]["S3Key"]
        for function in of_type(resources, "AWS::Lambda::Function").values()
        if "S3Key" in function["Properties"]["Code"]
    ]
    assert zips
    assert set(zips) <= keys


def test_one_image_is_built_after_the_other(published: Published) -> None:
    """Side by side both would export the model: the second build takes it from the first one's cache."""
    builds = [line.split()[0] for line in published.engine_log if line.split()[0] in ("build", "tag")]
    assert builds == ["build", "tag", "build", "tag"]


@pytest.mark.parametrize(
    ("region", "console", "suffix"),
    [
        ("cn-north-1", "cn-north-1.console.amazonaws.cn", "amazonaws.com.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com", "amazonaws.com"),
    ],
)
def test_links_of_other_partitions(region: str, console: str, suffix: str) -> None:
    link = quick_create.link(assembled().folder, ACCOUNT, region)
    assert link.startswith(f"https://{console}/cloudformation/home?region={region}#/stacks/quickcreate?")
    assert f".s3.{region}.{suffix}%2F" in link


def test_no_link_where_the_account_is_not_known(tmp_path: Path) -> None:
    (tmp_path / quick_create.FILE).write_text("of an earlier synthesis")
    quick_create.write(tmp_path, None, REGION)
    assert not (tmp_path / quick_create.FILE).exists()


def test_copies_of_the_stack_in_one_account_do_not_touch_each_other() -> None:
    """Launched, changed and deleted each by itself, as the console does it from one published template."""
    assembly = assembled()
    with account(assembly) as first_account:
        first = Stack(first_account, assembly.template)
        pseudo = replace(
            first.engine.pseudo, stack_name="Second", guid="9f0e1d2c-da77-11e4-872e-1234567db123"
        )
        second = Engine(first_account.cloud, pseudo)
        first.engine.on_step = lambda step: None
        assert first.deploy(ImageSimilarity="yes-sagemaker").status == "CREATE_COMPLETE"
        alone = copy.deepcopy(first_account.inventory())
        for parameters in (
            {"ImageSimilarity": "yes-sagemaker", "APIGatewayAuthorization": "NONE"},
            {"ImageSimilarity": "yes-lambda", "APIGatewayStageName": "v2"},
        ):
            outcome = second.deploy(assembly.template, parameters)
            assert outcome.status.endswith("_COMPLETE"), outcome
            assert "ROLLBACK" not in outcome.status, outcome
        both = first_account.inventory()
        assert all(set(names) <= set(both[kind]) for kind, names in alone.items())
        assert second.delete().status == "DELETE_COMPLETE"
        assert first_account.inventory() == alone
        assert isinstance(first_account, Account)
        first.delete()
