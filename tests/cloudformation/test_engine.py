"""The CloudFormation engine on small templates: order, replacement, clean-up, rollback, what is retained."""

import copy
import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any
from unittest import mock

import pytest
from moto import mock_aws

from local.template.identifiers import PseudoParameters
from tests.cloudformation.engine import Engine, Outcome, Step
from tests.cloudformation.providers import PROVIDERS, Cloud, ProviderFailed
from tests.cloudformation.providers.gaps import mocked_services
from tests.cloudformation.replacement import needs_replacement
from tests.infrastructure.account import CREDENTIALS, REGION

Template = dict[str, Any]
GROUPS: Template = {
    "Parameters": {
        "Days": {"Type": "Number", "Default": 7},
        "Name": {"Type": "String", "Default": "one"},
        "More": {"Type": "String", "Default": "yes"},
    },
    "Conditions": {"HasMore": {"Fn::Equals": [{"Ref": "More"}, "yes"]}},
    "Resources": {
        "Second": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": {"Fn::Sub": "after-${First}"}, "RetentionInDays": {"Ref": "Days"}},
        },
        "First": {
            "Type": "AWS::Logs::LogGroup",
            "Properties": {"LogGroupName": {"Ref": "Name"}, "RetentionInDays": {"Ref": "Days"}},
        },
        "Extra": {
            "Type": "AWS::Logs::LogGroup",
            "Condition": "HasMore",
            "DependsOn": "Second",
            "Properties": {"LogGroupName": "extra"},
        },
    },
    "Outputs": {"Name": {"Value": {"Ref": "Second"}}},
}


class Groups:
    """A stack of log groups and the steps of its last operation."""

    def __init__(self, cloud: Cloud, seed: int = 0) -> None:
        self.steps: list[tuple[str, str]] = []
        self.engine = Engine(cloud, PseudoParameters(region=REGION), on_step=self._note, seed=seed)
        self.template = copy.deepcopy(GROUPS)

    def _note(self, step: Step) -> None:
        self.steps.append((step.action, step.logical_id))

    def deploy(self, **parameters: str) -> Outcome:
        self.steps = []
        return self.engine.deploy(self.template, parameters)

    def exist(self) -> dict[str, int | None]:
        found = self.engine.cloud.client("logs").describe_log_groups()["logGroups"]
        return {item["logGroupName"]: item.get("retentionInDays") for item in found}


@pytest.fixture
def groups() -> Iterator[Groups]:
    with mock.patch.dict("os.environ", CREDENTIALS), mocked_services():
        yield Groups(Cloud(REGION))


def test_creation_follows_references_and_depends_on(groups: Groups) -> None:
    assert groups.deploy() == Outcome("CREATE_COMPLETE")
    assert groups.steps == [("CREATE", "First"), ("CREATE", "Second"), ("CREATE", "Extra")]
    assert groups.exist() == {"one": 7, "after-one": 7, "extra": None}
    assert groups.engine.outputs == {"Name": "after-one"}


def test_an_update_touches_what_differs_and_nothing_else(groups: Groups) -> None:
    groups.deploy()
    assert groups.deploy(Days="30") == Outcome("UPDATE_COMPLETE")
    assert groups.steps == [("UPDATE", "First"), ("UPDATE", "Second")]
    assert groups.exist() == {"one": 30, "after-one": 30, "extra": None}
    assert groups.deploy() == Outcome("UPDATE_COMPLETE")
    assert groups.steps == []


def test_a_replacement_makes_the_new_one_first_and_cleans_up_last(groups: Groups) -> None:
    groups.deploy()
    groups.deploy(Name="two", More="no")
    assert groups.steps[:2] == [("REPLACE", "First"), ("REPLACE", "Second")]
    assert {step for step, _ in groups.steps[2:]} == {"DELETE"}
    assert groups.steps[-1] == ("DELETE", "First"), "what others depended on goes last"
    assert groups.exist() == {"two": 7, "after-two": 7}


def test_previous_values_stay_until_they_are_given(groups: Groups) -> None:
    groups.deploy(Days="30", Name="two")
    groups.deploy(More="no")
    assert groups.exist() == {"two": 30, "after-two": 30}
    groups.template["Parameters"]["Days"]["Default"] = 1
    groups.deploy(More="yes")
    assert groups.exist()["two"] == 30


def test_a_failure_brings_back_values_resources_and_parameters(groups: Groups) -> None:
    groups.deploy()
    before = groups.exist()
    groups.engine.fail = lambda step: (
        "no" if step.logical_id == "Second" and step.action != "DELETE" else None
    )
    assert groups.deploy(Name="two", Days="30", More="no") == Outcome("UPDATE_ROLLBACK_COMPLETE", "no")
    assert groups.exist() == before
    assert groups.engine.parameters["Name"] == "one"
    groups.engine.fail = lambda step: None
    assert groups.deploy(Days="30") == Outcome("UPDATE_COMPLETE")
    assert groups.exist() == {"one": 30, "after-one": 30, "extra": None}


def test_a_refusal_of_the_service_is_the_reason(groups: Groups) -> None:
    groups.engine.cloud.client("logs").create_log_group(logGroupName="extra")
    outcome = groups.deploy()
    assert outcome.status == "ROLLBACK_COMPLETE"
    assert "ResourceAlreadyExistsException" in outcome.reason
    assert groups.exist() == {"extra": None}


def test_deletion_leaves_only_what_is_retained(groups: Groups) -> None:
    groups.template["Resources"]["First"]["DeletionPolicy"] = "Retain"
    groups.deploy()
    assert groups.engine.delete() == Outcome("DELETE_COMPLETE")
    assert groups.exist() == {"one": 7}


def test_a_property_that_the_service_does_not_know_fails(groups: Groups) -> None:
    template: Template = {
        "Resources": {"F": {"Type": "AWS::Lambda::Function", "Properties": {"Colour": "red"}}}
    }
    outcome = groups.engine.deploy(template, {})
    assert outcome.status == "ROLLBACK_COMPLETE"
    assert "Colour" in outcome.reason


def test_a_circle_is_told(groups: Groups) -> None:
    groups.template["Resources"]["First"]["DependsOn"] = ["Extra"]
    outcome = groups.deploy()
    assert "Circular dependency between resources: ['Extra', 'First', 'Second']" in outcome.reason


def test_a_deployment_that_a_stage_points_to_cannot_be_deleted(groups: Groups) -> None:
    cloud = groups.engine.cloud
    body = {
        "paths": {
            "/": {"get": {"responses": {"200": {}}, "x-amazon-apigateway-integration": {"type": "mock"}}}
        }
    }
    api = {
        "Name": "api",
        "EndpointConfiguration": {"Types": ["REGIONAL"]},
        "Body": {"openapi": "3.0.1", **body},
    }
    created = PROVIDERS["AWS::ApiGateway::RestApi"].create(cloud, "api", api)
    made = {"RestApiId": created.ref}
    deployment = PROVIDERS["AWS::ApiGateway::Deployment"].create(cloud, "deployment", made)
    stage = {**made, "StageName": "prod", "DeploymentId": deployment.ref}
    staged = PROVIDERS["AWS::ApiGateway::Stage"].create(cloud, "stage", stage)
    with pytest.raises(ProviderFailed, match="Active stages pointing to this deployment"):
        PROVIDERS["AWS::ApiGateway::Deployment"].delete(cloud, deployment, made)
    PROVIDERS["AWS::ApiGateway::Stage"].delete(cloud, staged, stage)
    PROVIDERS["AWS::ApiGateway::Deployment"].delete(cloud, deployment, made)


TRUST: Template = {"Version": "2012-10-17", "Statement": []}


def policy(name: str, size: int) -> Template:
    """An inline policy of so many characters as IAM counts them."""
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::"}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    statement["Resource"] += "r" * (size - len(json.dumps(document, separators=(",", ":"))))
    return {"PolicyName": name, "PolicyDocument": document}


@pytest.mark.parametrize(("sizes", "fits"), [((10_240,), True), ((10_241,), False), ((5_000, 5_241), False)])
def test_a_roles_inline_policies_have_one_limit_together(
    groups: Groups, sizes: tuple[int, ...], *, fits: bool
) -> None:
    cloud = groups.engine.cloud
    given = {"AssumeRolePolicyDocument": TRUST}
    policies = [policy(str(number), size) for number, size in enumerate(sizes)]
    too_long = pytest.raises(ProviderFailed, match="Maximum policy size of 10240 bytes exceeded for role")
    with nullcontext() if fits else too_long:
        PROVIDERS["AWS::IAM::Role"].create(cloud, "at-once", {**given, "Policies": policies})
    PROVIDERS["AWS::IAM::Role"].create(cloud, "one-by-one", given)
    with nullcontext() if fits else too_long:
        for item in policies:
            PROVIDERS["AWS::IAM::Policy"].create(cloud, "policy", {**item, "Roles": ["one-by-one"]})


def test_a_policy_that_takes_anothers_place_counts_once(groups: Groups) -> None:
    cloud, given = groups.engine.cloud, {"AssumeRolePolicyDocument": TRUST}
    before, after = ({**given, "Policies": [policy("one", size)]} for size in (9_000, 10_240))
    made = PROVIDERS["AWS::IAM::Role"].create(cloud, "role", before)
    PROVIDERS["AWS::IAM::Role"].update(cloud, made, before, after)


def test_moto_is_changed_only_where_a_stack_asks_for_it() -> None:
    variant = {
        "VariantName": "one",
        "ModelName": "model",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.c7i.xlarge",  # younger than moto's list
    }
    role = "arn:aws:iam::123456789012:role/model"
    properties = {"EndpointConfigName": "config", "ProductionVariants": [variant]}
    for services, outcome in (
        (mock_aws, pytest.raises(ProviderFailed, match="failed to satisfy constraint")),
        (mocked_services, nullcontext()),
        (mock_aws, pytest.raises(ProviderFailed, match="failed to satisfy constraint")),
    ):
        with mock.patch.dict("os.environ", CREDENTIALS), services():
            cloud = Cloud(REGION)
            cloud.call("sagemaker", "create_model", ModelName="model", ExecutionRoleArn=role)
            with outcome:
                cloud.call("sagemaker", "create_endpoint_config", **properties)


def test_seeds_give_every_order_that_dependencies_allow() -> None:
    template: Template = {
        "Resources": {
            name: {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name}}
            for name in ("A", "B", "C")
        }
    }
    template["Resources"]["C"]["DependsOn"] = "A"
    orders = set()
    with mock.patch.dict("os.environ", CREDENTIALS), mocked_services():
        cloud = Cloud(REGION)
        for seed in range(20):
            groups = Groups(cloud, seed)
            groups.template = template
            groups.deploy()
            orders.add("".join(name for _, name in groups.steps))
            groups.engine.delete()
    assert orders == {"ABC", "ACB", "BAC"}


@pytest.mark.parametrize(
    ("kind", "name", "replaced"),
    [
        ("AWS::SageMaker::Endpoint", "EndpointName", True),
        ("AWS::SageMaker::Endpoint", "EndpointConfigName", False),
        ("AWS::SageMaker::EndpointConfig", "ProductionVariants", True),
        ("AWS::SageMaker::Model", "PrimaryContainer", True),
        ("AWS::ApplicationAutoScaling::ScalableTarget", "ResourceId", True),
        ("AWS::ApplicationAutoScaling::ScalableTarget", "MaxCapacity", False),
        ("AWS::ApiGateway::RestApi", "Body", False),
        ("AWS::ApiGateway::Deployment", "Description", False),
        ("AWS::ApiGateway::Stage", "DeploymentId", False),
        ("AWS::ApiGateway::Stage", "StageName", True),
        ("AWS::Lambda::Function", "MemorySize", False),
    ],
)
def test_the_provider_schemas_say_what_is_replaced(kind: str, name: str, *, replaced: bool) -> None:
    assert needs_replacement(kind, {name: "before"}, {name: "after"}) is replaced
    assert not needs_replacement(kind, {name: "same"}, {name: "same"})
