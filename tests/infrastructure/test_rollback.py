"""Failures on the way, new instance types, template upgrades, and the mistakes that the design avoids."""

import copy
from collections.abc import Iterator
from functools import partial

import pytest

from local.synthesis import Assembly
from tests.cloudformation.engine import Step
from tests.infrastructure.account import LOG_KEYS, WEB_ACLS, account
from tests.infrastructure.registry import push
from tests.infrastructure.stack import Stack, assembled
from tests.infrastructure.walks import TOGETHER
from tests.infrastructure.wanted import check_requests, check_stack, served

SAGEMAKER = {"ImageSimilarity": "yes-sagemaker"}
CATALOGUE = {"Catalogue": "yes", "ImageBuckets": "aaa"}
[NETWORK] = TOGETHER


@pytest.fixture(scope="module")
def assembly() -> Assembly:
    return assembled()


@pytest.fixture
def stack(assembly: Assembly) -> Iterator[Stack]:
    with account(assembly) as bootstrapped:
        yield Stack(bootstrapped, assembly.template)


def test_an_endpoint_that_fails_rolls_back_and_the_old_backend_answers(stack: Stack) -> None:
    stack.become(APIGatewayAuthorization="NONE")
    before = stack.account.inventory()
    stack.engine.fail = lambda step: (
        "ResourceLimitExceeded" if step.logical_id == "SageMakerEndpoint" else None
    )
    outcome = stack.deploy(**SAGEMAKER)
    assert (outcome.status, outcome.reason) == ("UPDATE_ROLLBACK_COMPLETE", "ResourceLimitExceeded")
    assert stack.account.call("POST", "/prod/image-similarity") == (200, {"answered": "lambda"})
    assert stack.account.inventory() == before
    check_stack(stack.account, stack.parameters)
    stack.engine.fail = lambda step: None
    stack.become(**SAGEMAKER)


@pytest.mark.parametrize(
    ("start", "change"),
    [
        ({}, {"ImageSimilarity": "yes-sagemaker", "APIGatewayAuthorization": "NONE", "APIExplorer": "no"}),
        (SAGEMAKER, {"ImageSimilarity": "yes-lambda", "APIGatewayStageName": "v2"}),
        (
            {**SAGEMAKER, "APIGatewayAuthorization": "NONE"},
            {"SageMakerInstanceType": "", "ImageBuckets": "aaa"},
        ),
        ({"APIGatewayAuthorization": "NONE", "ImageBuckets": "aaa"}, {"APIGatewayAuthorization": "AWS_IAM"}),
        ({}, {**NETWORK, "KmsKeyArn": LOG_KEYS[0], "LambdaMaxConcurrency": "5", "WebAclArn": WEB_ACLS[0]}),
        ({**NETWORK, "LambdaMaxConcurrency": "5"}, {"ImageSimilarity": "yes-sagemaker", "UrlHosts": "none"}),
        ({**SAGEMAKER, **NETWORK}, {"SubnetIds": "", "SecurityGroupIds": "", "SageMakerMinInstances": "2"}),
        ({"WebAclArn": WEB_ACLS[0]}, {"APIGatewayStageName": "v2", "ThrottlingRateLimit": "5"}),
        ({"ImageBuckets": "aaa"}, {"Catalogue": "yes", "KmsKeyArn": LOG_KEYS[0]}),
        (CATALOGUE, {"Catalogue": "no", "ImageBuckets": ""}),
        ({**CATALOGUE, "KmsKeyArn": LOG_KEYS[0]}, {"Catalogue": "paused", "KmsKeyArn": ""}),
        (
            {**CATALOGUE, "Catalogue": "paused"},
            {"Catalogue": "yes", "APIGatewayStageName": "v2", "ImageBuckets": "aaa,bbb", **NETWORK},
        ),
        (CATALOGUE, {**SAGEMAKER, "CatalogueConcurrency": "9", "KmsKeyArn": LOG_KEYS[0]}),
    ],
)
def test_a_failure_at_any_step_leaves_what_was(
    stack: Stack, start: dict[str, str], change: dict[str, str]
) -> None:
    if "SageMakerInstanceType" in change:
        *_, last = stack.template["Parameters"]["SageMakerInstanceType"]["AllowedValues"]
        change = {**change, "SageMakerInstanceType": last}
    stack.become(**start)
    stack.become(**change)
    changed = [step.logical_id for step in stack.done if step.action != "DELETE"]
    stack.become(**{name: start.get(name, stack.defaults[name]) for name in change})
    before = stack.account.inventory()
    for failing in changed:
        stack.engine.fail = partial(fail_at, failing)
        assert stack.deploy(**change).status == "UPDATE_ROLLBACK_COMPLETE"
        assert stack.account.inventory() == before, failing
        check_stack(stack.account, stack.parameters)
    assert len(changed) >= 4


def fail_at(failing: str, step: Step) -> str | None:
    return "injected" if step.logical_id == failing and step.action != "DELETE" else None


def test_a_first_deployment_that_fails_leaves_nothing(stack: Stack) -> None:
    stack.engine.fail = lambda step: "injected" if step.logical_id == "Stage" else None
    assert stack.deploy().status == "ROLLBACK_COMPLETE"
    assert stack.account.inventory() == {}


def test_access_logs_without_the_regions_role_roll_back(assembly: Assembly) -> None:
    with account(assembly, log_role=False) as bootstrapped:
        stack = Stack(bootstrapped, assembly.template)
        stack.become()
        outcome = stack.deploy(AccessLogs="yes")
        assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
        assert "CloudWatch Logs role ARN must be set in account settings" in outcome.reason
        check_stack(bootstrapped, stack.parameters)


# The instance type of a scaled variant


def test_a_new_instance_type_is_a_new_endpoint_and_the_old_one_serves_until_then(stack: Stack) -> None:
    stack.become(**SAGEMAKER, APIGatewayAuthorization="NONE")
    old = stack.account.stage().variables["endpoint"]
    answers: list[str] = []
    check = stack.engine.on_step

    def ask(step: Step) -> None:
        check(step)
        status, body = stack.account.call("POST", "/prod/image-similarity")
        assert status == 200
        answers.append(body["answered"])

    stack.engine.on_step = ask
    *_, other = stack.template["Parameters"]["SageMakerInstanceType"]["AllowedValues"]
    stack.become(SageMakerInstanceType=other)
    new = stack.account.stage().variables["endpoint"]
    assert new != old
    assert set(answers) == {old, new}
    assert answers == sorted(answers, key=[old, new].index), "the switch happens once"
    assert Step("REPLACE", "SageMakerEndpoint") in stack.done


def test_the_engine_refuses_a_new_type_on_the_same_endpoint_as_sagemaker_does(stack: Stack) -> None:
    template = copy.deepcopy(dict(stack.template))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::SageMaker::Endpoint":
            resource["Properties"]["EndpointName"] = "fixed"
    stack.template = template
    stack.engine.on_step = lambda step: None
    assert stack.deploy(**SAGEMAKER).status == "CREATE_COMPLETE"
    *_, other = template["Parameters"]["SageMakerInstanceType"]["AllowedValues"]
    outcome = stack.deploy(SageMakerInstanceType=other)
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert "must be deregistered as scalable targets with AutoScaling" in outcome.reason


# The template changes


def test_a_template_upgrade_redeploys(stack: Stack, assembly: Assembly) -> None:
    upgraded = assembled(model="embedded")
    stack.become(**SAGEMAKER)
    before = stack.account.stage().snapshot
    for key in upgraded.files.keys() - assembly.files.keys():
        [bucket] = stack.account.client("s3").list_buckets()["Buckets"]
        stack.account.client("s3").put_object(Bucket=bucket["Name"], Key=key, Body=b"")
    push(stack.account.cloud, upgraded, stack.engine.pseudo)
    stack.template = upgraded.template
    stack.become()
    assert stack.account.stage().snapshot != before
    assert "embedded" in str(stack.account.stage().snapshot)
    assert stack.parameters["ImageSimilarity"] == "yes-sagemaker"


# The engine can see the mistakes that the design avoids


def test_one_deployment_for_all_parameters_would_stay_open(stack: Stack) -> None:
    """What a plain template does: its Deployment is never made anew, so the old snapshot stays live."""
    template = copy.deepcopy(dict(stack.template))
    deployments = [n for n, r in template["Resources"].items() if r["Type"] == "AWS::ApiGateway::Deployment"]
    for name in deployments[1:]:
        del template["Resources"][name]
    plain = template["Resources"][deployments[0]]
    plain.pop("Condition", None)
    plain.pop("DependsOn", None)
    template["Resources"]["Stage"]["Properties"]["DeploymentId"] = {"Ref": deployments[0]}
    stack.template = template
    stack.engine.on_step = lambda step: None
    assert stack.deploy(APIGatewayAuthorization="NONE", APIExplorer="no").status == "CREATE_COMPLETE"
    assert stack.deploy(APIGatewayAuthorization="AWS_IAM").status == "UPDATE_COMPLETE"
    assert ("POST", "/image-similarity", "NONE", "aws_proxy") in served(stack.account)
    with pytest.raises(AssertionError):
        check_requests(stack.account, stack.parameters)
    assert stack.deploy(ImageSimilarity="no").status == "UPDATE_COMPLETE"
    stage = stack.account.stage()
    served_post = stage.snapshot.route("POST", "/image-similarity")
    assert served_post is not None
    stack.account.forget("AWS::Lambda")
    with pytest.raises(AssertionError, match="is gone"):
        stack.account.check_callable(stage, served_post[0])
