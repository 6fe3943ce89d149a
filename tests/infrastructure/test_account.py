"""The account around the stack: web ACLs, VPCs, reserved concurrency, keys, and what each refuses."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from local.synthesis import Assembly
from local.template.intrinsics import ResolveError
from tests.cloudformation.engine import Step
from tests.infrastructure.account import LOG_KEYS, WEB_ACLS, account
from tests.infrastructure.iam import MOST_BUCKETS
from tests.infrastructure.stack import Stack, assembled
from tests.infrastructure.walks import TOGETHER

[VPC] = TOGETHER
SAGEMAKER = {"ImageSimilarity": "yes-sagemaker"}


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assembled()


@pytest.fixture
def stack(assembly: Assembly) -> Iterator[Stack]:
    with account(assembly) as bootstrapped:
        yield Stack(bootstrapped, assembly.template)


def changed(stack: Stack, logical_id: str, **properties: object) -> None:
    """Let the stack's template have other properties of a resource; None takes one away."""
    template = copy.deepcopy(dict(stack.template))
    kept = template["Resources"][logical_id]["Properties"] | properties
    template["Resources"][logical_id]["Properties"] = {
        name: value for name, value in kept.items() if value is not None
    }
    stack.template = template


# Web ACLs


def test_a_web_acl_follows_the_stage_and_goes(stack: Stack) -> None:
    stack.become(WebAclArn=WEB_ACLS[0])
    stack.become(APIGatewayStageName="v2")
    stack.become(APIGatewayStageName="prod", WebAclArn="")
    stack.delete()


def test_another_web_acl_replaces_the_one_before(stack: Stack) -> None:
    stack.become(WebAclArn=WEB_ACLS[0])
    stack.become(WebAclArn=WEB_ACLS[1])
    stack.become(WebAclArn=WEB_ACLS[0], APIGatewayStageName="v2")
    stack.delete()


def test_the_engine_sees_a_replaced_association_take_the_new_one_away(stack: Stack) -> None:
    """What the template's UpdateReplacePolicy is for, with the handler at its worst."""
    template = copy.deepcopy(dict(stack.template))
    del template["Resources"]["WebAclAssociation"]["UpdateReplacePolicy"]
    stack.template = template
    stack.become(WebAclArn=WEB_ACLS[0])
    assert stack.deploy(WebAclArn=WEB_ACLS[1]).status == "UPDATE_COMPLETE"
    assert stack.account.cloud.protected == {}


def test_nothing_that_may_fail_comes_after_another_web_acl(stack: Stack) -> None:
    """A rollback deletes what is new, and at its worst that takes the old web ACL away: so it comes late."""
    stack.become(WebAclArn=WEB_ACLS[0])
    stack.engine.fail = lambda step: "no" if step.logical_id == "SageMakerEndpoint" else None
    assert stack.deploy(WebAclArn=WEB_ACLS[1], **SAGEMAKER).status == "UPDATE_ROLLBACK_COMPLETE"
    assert not [step for step in stack.done if step.logical_id == "WebAclAssociation"]
    assert list(stack.account.cloud.protected.values()) == [WEB_ACLS[0]]


def test_a_web_acl_that_does_not_exist_rolls_back(stack: Stack) -> None:
    stack.become()
    outcome = stack.deploy(WebAclArn=WEB_ACLS[0].replace("/one/", "/three/"))
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "WAFNonexistentItemException" in outcome.reason


# VPCs


@pytest.mark.parametrize("backend", [{}, SAGEMAKER])
def test_a_vpc_is_entered_and_left_and_leaves_nothing(stack: Stack, backend: dict[str, str]) -> None:
    stack.become(**backend, **VPC)
    stack.become(SubnetIds="", SecurityGroupIds="")
    stack.become(**VPC)
    stack.become(ImageSimilarity="no")
    stack.become(**(backend or {"ImageSimilarity": "yes-lambda"}))
    stack.delete()


def test_the_policy_is_there_first_and_goes_last(stack: Stack) -> None:
    stack.become(**VPC)
    order = [step.logical_id for step in stack.done]
    assert order.index("LambdaNetworkPolicy") < order.index("LambdaFunction")
    stack.done = []
    stack.delete()
    assert stack.done.index(Step("DELETE", "LambdaFunction")) < stack.done.index(
        Step("DELETE", "LambdaNetworkPolicy")
    )


def unordered(value: Any) -> Any:
    """A property without its reference to the policy, so that nothing orders the two."""
    if isinstance(value, dict):
        if value.keys() == {"Fn::Select"}:
            return value["Fn::Select"][1]["Fn::Split"][1]["Fn::Join"][1][0]
        return {key: unordered(item) for key, item in value.items()}
    return [unordered(item) for item in value] if isinstance(value, list) else value


def test_the_engine_sees_interfaces_that_outlive_their_policy(assembly: Assembly) -> None:
    """With no order between function and policy, some order creates too early or deletes too late."""
    ends = set()
    for seed in range(6):
        with account(assembly, seed=seed) as bootstrapped:
            stack = Stack(bootstrapped, assembly.template)
            vpc = stack.template["Resources"]["LambdaFunction"]["Properties"]["VpcConfig"]
            changed(stack, "LambdaFunction", VpcConfig=unordered(vpc))
            outcome = stack.deploy(**VPC)
            if outcome.reason:
                assert "does not have permissions to call CreateNetworkInterface" in outcome.reason
                ends.add("refused")
            else:
                stack.engine.delete()
                ends.add("left" if stack.account.inventory() else "clean")
    assert ends - {"clean"}


def test_one_subnet_is_too_few_for_sagemaker(stack: Stack) -> None:
    stack.become()
    outcome = stack.deploy(**SAGEMAKER, SubnetIds="subnet-01234567", SecurityGroupIds="sg-01234567")
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "two subnets" in outcome.reason


# Concurrency


def test_more_than_the_account_can_reserve_rolls_back(stack: Stack) -> None:
    stack.become()
    stack.become(LambdaMaxConcurrency="900")
    outcome = stack.deploy(LambdaMaxConcurrency="901")
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "UnreservedConcurrentExecution below its minimum value" in outcome.reason
    stack.become(LambdaMaxConcurrency="")


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_searches_reserve_once_more(stack: Stack, backend: str) -> None:
    most = 450 if backend == "yes-lambda" else 900
    stack.become(ImageSimilarity=backend, Catalogue="yes", ImageBuckets="photos")
    outcome = stack.deploy(LambdaMaxConcurrency=str(most + 1))
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "UnreservedConcurrentExecution below its minimum value" in outcome.reason
    stack.become(LambdaMaxConcurrency=str(most))
    stack.become(Catalogue="paused")
    stack.become(LambdaMaxConcurrency="900")
    assert stack.deploy(Catalogue="yes").status == (
        "UPDATE_ROLLBACK_COMPLETE" if backend == "yes-lambda" else "UPDATE_COMPLETE"
    )


def test_an_account_that_can_reserve_nothing_can_have_the_stack(stack: Stack) -> None:
    stack.account.cloud.concurrency = 10  # of a new account
    stack.become()
    assert "below its minimum value" in stack.deploy(LambdaMaxConcurrency="1").reason


# Policies

MANY_BUCKETS = ",".join(f"{number:03d}" for number in range(256))


def test_the_most_buckets_are_deployed(stack: Stack) -> None:
    stack.become(Catalogue="yes", ImageBuckets=MOST_BUCKETS, KmsKeyArn=LOG_KEYS[0], **VPC)
    stack.become(ImageSimilarity="yes-sagemaker")
    stack.delete()


def test_more_buckets_than_a_role_can_name_would_fail_half_way(stack: Stack) -> None:
    """What the parameter's pattern is for."""
    with pytest.raises(ResolveError, match=r"ImageBuckets=.*must be 1 to 100 S3 bucket names"):
        stack.deploy(ImageBuckets=MANY_BUCKETS)
    template = copy.deepcopy(dict(stack.template))
    del template["Parameters"]["ImageBuckets"]["AllowedPattern"]
    stack.template = template
    outcome = stack.deploy(Catalogue="yes", ImageBuckets=MANY_BUCKETS)
    assert outcome.status == "ROLLBACK_COMPLETE"
    assert outcome.reason.startswith("Maximum policy size of 10240 bytes exceeded for role")
    assert [step for step in stack.done if step.action == "CREATE"]


# Keys


def test_a_key_that_cloudwatch_logs_may_not_use_rolls_back(stack: Stack) -> None:
    stack.become(KmsKeyArn=LOG_KEYS[0])
    outcome = stack.deploy(KmsKeyArn="arn:aws:kms:us-east-1:123456789012:key/other")
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "does not exist or is not allowed to be used" in outcome.reason
    stack.become(KmsKeyArn="")


# Stacks of before


def test_a_stack_that_exists_keeps_its_throttles(stack: Stack) -> None:
    """Before they were texts with `auto`, both were numbers, 50 and 100 by default."""
    old = copy.deepcopy(dict(stack.template))
    for name, default in (("ThrottlingRateLimit", 50), ("ThrottlingBurstLimit", 100)):
        old["Parameters"][name] = {"Type": "Number", "Default": default, "MinValue": 1}
    new, stack.template = stack.template, old
    stack.defaults |= {"ThrottlingRateLimit": "50", "ThrottlingBurstLimit": "100"}
    stack.become(APIGatewayAuthorization="NONE")
    stack.template = new
    stack.become()
    assert stack.engine.parameters["ThrottlingRateLimit"] == "50"
    stack.become(ThrottlingRateLimit="auto", ThrottlingBurstLimit="auto")
