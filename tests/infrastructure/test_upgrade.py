"""A stack of the first edition becomes one of this edition while callers ask: no call fails, values stay.

tests/data/first-edition holds the first edition's template and asset manifest, as its last commit (aff5bc2)
synthesized them.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from local.synthesis import Assembly
from local.template.images import image_assets
from local.template.intrinsics import as_text
from tests.cloudformation.engine import Step
from tests.infrastructure.account import account
from tests.infrastructure.registry import push
from tests.infrastructure.stack import Stack, assembled
from tests.infrastructure.wanted import check_stack

FILE = Path(__file__).resolve().parents[1] / "data" / "first-edition" / "assembly.json.gz"
OPEN = {"APIGatewayAuthorization": "NONE"}
SETTLED = {
    **OPEN,
    "APIGatewayStageName": "live",
    "APIExplorer": "no",
    "ImageBuckets": "first-bucket,second.bucket",
    "LambdaMemorySize": "1769",
    "ThrottlingRateLimit": "7",
    "ThrottlingBurstLimit": "9",
    "LogRetentionDays": "7",
    "AlarmTopicArn": "arn:aws:sns:us-east-1:123456789012:alarms",
    "AccessLogs": "yes",
}
SAGEMAKER = {"ImageSimilarity": "yes-sagemaker", "SageMakerMinInstances": "2", "SageMakerMaxInstances": "4"}


@pytest.fixture(scope="module")
def first() -> Assembly:
    """The first edition; its images have Docker's manifests, as builders wrote them until 2025."""
    content = json.loads(gzip.decompress(FILE.read_bytes()))
    keys = [
        destination["objectKey"]
        for asset in content["assets"]["files"].values()
        for destination in asset["destinations"].values()
    ]
    images = image_assets(content["assets"])
    docker = tuple(
        type(image)(image.repository, image.tag, ("type=docker,oci-mediatypes=false",)) for image in images
    )
    return Assembly(FILE.parent, content["template"], dict.fromkeys(keys, FILE), docker)


class Upgraded(Stack):
    """A stack that changes its template, with a caller who asks after every operation."""

    statuses: list[int]

    @property
    def path(self) -> str:
        """The API as its callers know it: the stage's name is a parameter that no upgrade may change."""
        name = self.parameters.get("APIGatewayStageName", self.defaults["APIGatewayStageName"])
        return f"/{name}/image-similarity"

    def become_of(self, assembly: Assembly) -> None:
        """Take another edition's template and its defaults."""
        self.template = assembly.template
        defaults = {name: as_text(item["Default"]) for name, item in self.template["Parameters"].items()}
        self.defaults = {"Catalogue": "no", **defaults}  # what the first edition's stacks have none of

    def delete(self) -> None:
        """Delete it, with nobody asking any more."""
        self.engine.on_step = lambda step: None
        super().delete()

    def ask(self, step: Step) -> None:
        self.account.forget(self.template["Resources"].get(step.logical_id, {"Type": "::"})["Type"])
        self.statuses.append(self.account.call("POST", self.path)[0])


@contextmanager
def live(first: Assembly, parameters: Mapping[str, str], seed: int = 0) -> Iterator[Upgraded]:
    """A stack of the first edition with these parameters, in an account that has both editions' assets."""
    now = assembled()
    with account(first, seed=seed) as bootstrapped:
        s3 = bootstrapped.client("s3")
        [bucket] = s3.list_buckets()["Buckets"]
        for key in now.files:
            s3.put_object(Bucket=bucket["Name"], Key=key, Body=b"")
        push(bootstrapped.cloud, now, bootstrapped.engine.pseudo)
        stack = Upgraded(bootstrapped, first.template)
        stack.statuses = []
        stack.become_of(first)
        stack.engine.on_step = lambda step: None
        assert stack.deploy(**parameters).status == "CREATE_COMPLETE"
        stack.engine.on_step = stack.ask
        yield stack


def kept(stack: Upgraded, before: Mapping[str, str]) -> None:
    assert before.items() <= stack.engine.parameters.items()


@pytest.mark.parametrize("parameters", [OPEN, SETTLED], ids=["defaults", "settled"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_call_fails_while_a_lambda_stack_is_upgraded(
    first: Assembly, parameters: dict[str, str], seed: int
) -> None:
    with live(first, parameters, seed) as stack:
        before = dict(stack.engine.parameters)
        stack.become_of(assembled())
        assert stack.deploy().status == "UPDATE_COMPLETE"
        assert len(stack.statuses) >= len(stack.engine.resources) / 2
        assert set(stack.statuses) == {200}
        kept(stack, before)
        check_stack(stack.account, stack.parameters)
        stack.delete()


def test_calls_go_on_while_an_upgrade_fails_at_any_step_and_is_taken_again(first: Assembly) -> None:
    changed = changed_by_upgrade(first)
    assert len(changed) >= 8
    with live(first, SETTLED) as stack:
        stack.become_of(assembled())
        inventory = stack.account.inventory()
        for failing in changed:
            stack.engine.fail = partial(fail_at, failing)
            outcome = stack.deploy()
            assert outcome.status == "UPDATE_ROLLBACK_COMPLETE", failing
            assert stack.account.inventory() == inventory, failing
        stack.engine.fail = lambda step: None
        assert stack.deploy().status == "UPDATE_COMPLETE"
        assert set(stack.statuses) == {200}
        check_stack(stack.account, stack.parameters)


def fail_at(failing: str, step: Step) -> str | None:
    return "injected" if step.logical_id == failing else None


def changed_by_upgrade(first: Assembly) -> list[str]:
    """What an upgrade that works creates, replaces and changes."""
    steps: list[Step] = []
    with live(first, SETTLED) as stack:
        stack.engine.on_step = steps.append
        stack.become_of(assembled())
        assert stack.deploy().status == "UPDATE_COMPLETE"
    return list(dict.fromkeys(step.logical_id for step in steps if step.action != "DELETE"))


def test_back_to_the_first_edition_and_forward_again(first: Assembly) -> None:
    """What docs call rolling back: the older template, with the parameters that it has."""
    with live(first, SETTLED) as stack:
        before = dict(stack.engine.parameters)
        for edition in (assembled(), first, assembled()):
            stack.become_of(edition)
            assert stack.deploy().status == "UPDATE_COMPLETE"
            kept(stack, before)
        assert set(stack.statuses) == {200}
        check_stack(stack.account, stack.parameters)
        stack.delete()


def test_the_upgrade_mends_a_sagemaker_stack(first: Assembly) -> None:
    """Its calls are 500 on AWS: the role asks for a key that API Gateway never sends. Then they work."""
    with live(first, {**OPEN, **SAGEMAKER}) as stack:
        endpoint = stack.account.stage().variables["endpoint"]
        assert stack.account.call("POST", stack.path)[0] == 500
        stack.become_of(assembled())
        assert stack.deploy().status == "UPDATE_COMPLETE"
        worked = stack.statuses.index(200)
        assert set(stack.statuses[worked:]) == {200}, "from the moment the role is mended"
        assert stack.account.stage().variables["endpoint"] == endpoint
        check_stack(stack.account, stack.parameters)
        stack.delete()


def test_no_value_that_the_first_edition_took_is_refused(first: Assembly) -> None:
    """An update keeps each value, and is refused where the new rule does not accept it."""
    now = assembled().template["Parameters"]
    for name, parameter in first.template["Parameters"].items():
        assert set(parameter.get("AllowedValues", [])) <= set(now[name].get("AllowedValues", [])), name
