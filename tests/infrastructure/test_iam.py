"""Permissions are those of docs/iam.md, no more and no fewer, and none is of a kind that we refuse."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
import boto3
import pytest

from cdk_app import iam, network
from local.template.identifiers import PseudoParameters
from local.template.resolve import resolve
from tests.cloudformation.providers.roles import INLINE_CHARACTERS
from tests.infrastructure.iam import (
    EVERYTHING,
    MOST_BUCKETS,
    document_rows,
    inline_characters,
    template_rows,
)
from tests.infrastructure.synthesis import nodes, of_type

Template = Mapping[str, Any]
MAY_BE_ANY = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    *network.FUNCTION_ACTIONS,
    *network.MODEL_ACTIONS,
}


def test_the_permissions_are_those_of_the_document(template: Template) -> None:
    assert template_rows(template) == document_rows()


def test_an_action_that_is_not_in_the_document_is_noticed(template: Template) -> None:
    changed = copy.deepcopy(dict(template))
    policies = changed["Resources"]["LambdaRole"]["Properties"]["Policies"]
    policies[0]["PolicyDocument"]["Statement"][0]["Action"].append("s3:ListBucket")
    assert template_rows(changed) - document_rows()


def test_a_resource_that_is_not_in_the_document_is_noticed(template: Template) -> None:
    changed = copy.deepcopy(dict(template))
    changed["Resources"]["LambdaBucketsPolicy"]["Properties"]["PolicyDocument"]["Statement"][0][
        "Resource"
    ] = "*"
    assert template_rows(changed) - document_rows()


def test_only_actions_without_resources_are_allowed_on_any(template: Template) -> None:
    any_resource = {
        action.removeprefix("Deny ")
        for _, actions, on, _ in template_rows(template)
        if on == "*"
        for action in actions.split(", ")
    }
    assert any_resource == MAY_BE_ANY


def test_no_action_is_a_wildcard_and_no_policy_is_managed(template: Template) -> None:
    wide = {(who, actions) for who, actions, *_ in template_rows(template) if "*" in actions}
    assert wide == {("*", "Deny sqs:*")}
    for role in of_type(template["Resources"], "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]
        assert "RoleName" not in role["Properties"]
    assert not of_type(template["Resources"], "AWS::IAM::ManagedPolicy")


@dataclass(frozen=True)
class Elsewhere(PseudoParameters):
    """A stack with the longest of names, and with the suffix that CloudFormation gives what it names."""

    stack_name: str = "s" * (128 + len("-ABCDEFGHIJKL"))
    region: str = "ap-northeast-1"
    of: str = "aws"

    @property
    def partition(self) -> str:
        return self.of


@pytest.mark.parametrize("partition", boto3.Session().get_available_partitions())
@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_the_most_buckets_fit_into_the_policies_of_each_role(
    template: Template, partition: str, backend: str
) -> None:
    """IAM refuses longer ones in the middle of a deployment."""
    longest = template["Parameters"]["ImageBuckets"]["MaxLength"]
    assert len(MOST_BUCKETS) == longest
    state = {**EVERYTHING, "ImageSimilarity": backend, "ImageBuckets": MOST_BUCKETS}
    sizes = inline_characters(resolve(template, state, pseudo=Elsewhere(of=partition)))
    assert max(sizes.values()) > INLINE_CHARACTERS / 2, sizes
    assert max(sizes.values()) <= INLINE_CHARACTERS, sizes


def test_nobody_may_edit_the_api(template: Template) -> None:
    assert not [row for row in template_rows(template) if row[1].startswith("apigateway:")]


def test_every_service_is_held_to_this_account_as_far_as_it_names_one(template: Template) -> None:
    rows = [row for row in template_rows(template) if row[0].endswith(".amazonaws.com")]
    conditions = {(who, on): condition for who, _, on, condition in rows}
    assert len(conditions) == len(rows) == 11
    # API Gateway names no account when it assumes an integration's role: see test_permissions.py here
    assert conditions.pop(("apigateway.amazonaws.com", "SageMakerInvokeRole")) == "-"
    # nor is it known of the pollers of a queue
    assert conditions.pop(("lambda.amazonaws.com", "CatalogueIndexRole")) == "-"
    for (who, on), condition in conditions.items():
        if who == "events.amazonaws.com":
            assert condition.startswith("aws:SourceArn = arn:aws:events:<region>:<account>:rule/"), on
        elif who == "apigateway.amazonaws.com":
            assert condition.startswith("aws:SourceArn = arn:aws:execute-api:<region>:<account>:<api>/"), on
        else:
            assert condition == "aws:SourceAccount = <account>", on


def test_a_service_of_which_nothing_is_known_gets_no_role() -> None:
    with pytest.raises(KeyError, match="states"):
        iam.service_role(cdk.Stack(), "Role", service="states", description="", policies=[])


def test_buckets_are_read_in_each_partition(template: Template) -> None:
    partitions = boto3.Session().get_available_partitions()
    assert len(partitions) >= 8
    for policy in of_type(template["Resources"], "AWS::IAM::Policy").values():
        if policy["Properties"]["PolicyName"] == "ReadImageBuckets":
            texts = [node for node in nodes(policy) if isinstance(node, str) and node.startswith("arn:")]
            assert set(texts) == {f"arn:{partition}:s3:::" for partition in partitions}
