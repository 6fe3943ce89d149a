"""What deploys green and fails at the call: policies that ask for what a service does not send."""

import copy
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infrastructure.account import Account, account
from tests.infrastructure.served import SAGEMAKER, call
from tests.infrastructure.stack import Stack, assembled
from tests.infrastructure.synthesis import of_type

OPEN_LAMBDA = {"ImageSimilarity": "yes-lambda", "APIGatewayAuthorization": "NONE"}
ROUTE = "/prod/image-similarity"
OF_ACCOUNT = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
BROKEN_TRUSTS: dict[str, tuple[list[dict[str, Any]], str]] = {
    # role -> trust conditions that its service never meets; what a deployment says, nothing where it is green
    "SageMakerInvokeRole": ([OF_ACCOUNT, {"ArnLike": {"aws:SourceArn": "arn:aws:execute-api:*"}}], ""),
    "SageMakerRole": ([{"StringEquals": {"aws:SourceAccount": "1"}}], "Could not assume role"),
    "LambdaRole": ([{"StringEquals": {"aws:SourceAccount": "1"}}], "cannot be assumed by Lambda"),
}


@pytest.fixture
def bootstrapped() -> Iterator[Account]:
    with account(assembled()) as empty:
        yield empty


def template() -> dict[str, Any]:
    return copy.deepcopy(dict(assembled().template))


def trusting(role: str, condition: Mapping[str, Any] | None) -> dict[str, Any]:
    """The template with another trust condition on one role; None takes it away."""
    changed = template()
    [statement] = changed["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    statement.pop("Condition", None)
    if condition is not None:
        statement["Condition"] = condition
    return changed


def deploy(account_: Account, changed: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """Deploy without the checks of tests.infrastructure.stack; the reason of a failure."""
    return account_.engine.deploy(changed, parameters).reason


@pytest.mark.parametrize("condition", BROKEN_TRUSTS["SageMakerInvokeRole"][0])
def test_a_trust_that_api_gateway_does_not_meet_deploys_and_answers_500(
    bootstrapped: Account, condition: Mapping[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert deploy(bootstrapped, trusting("SageMakerInvokeRole", condition), SAGEMAKER) == ""
    status, body = bootstrapped.call("POST", ROUTE)
    assert (status, body["code"]) == (500, "InternalError")
    assert "API Gateway does not have permission to assume the provided role" in caplog.text
    with pytest.raises(AssertionError, match=r"apigateway\.amazonaws\.com can\'t assume"):
        bootstrapped.check_roles()


@pytest.mark.parametrize(
    "condition",
    [None, {"StringEqualsIfExists": OF_ACCOUNT["StringEquals"]}, {"Null": {"aws:SourceArn": "true"}}],
)
def test_a_trust_that_api_gateway_meets_answers(
    bootstrapped: Account, condition: Mapping[str, Any] | None
) -> None:
    assert deploy(bootstrapped, trusting("SageMakerInvokeRole", condition), SAGEMAKER) == ""
    assert bootstrapped.call("POST", ROUTE)[0] == 200


def test_a_trust_that_changes_fails_calls_at_once(bootstrapped: Account) -> None:
    assert deploy(bootstrapped, template(), SAGEMAKER) == ""
    assert bootstrapped.call("POST", ROUTE)[0] == 200
    assert deploy(bootstrapped, trusting("SageMakerInvokeRole", OF_ACCOUNT), SAGEMAKER) == ""
    bootstrapped.forget("AWS::IAM::Role")
    assert bootstrapped.call("POST", ROUTE)[0] == 500


@pytest.mark.parametrize("role", ["SageMakerRole", "LambdaRole"])
def test_an_execution_role_that_its_service_cannot_assume_is_refused(
    bootstrapped: Account, role: str
) -> None:
    [condition], told = BROKEN_TRUSTS[role]
    parameters = SAGEMAKER if role == "SageMakerRole" else OPEN_LAMBDA
    assert told in deploy(bootstrapped, trusting(role, condition), parameters)


def test_a_condition_that_cannot_be_judged_is_refused(bootstrapped: Account) -> None:
    unknown = trusting("SageMakerInvokeRole", {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    assert "IpAddress is not modelled here" in deploy(bootstrapped, unknown, SAGEMAKER)


def test_a_role_that_may_not_call_the_endpoint_is_a_bad_gateway(bootstrapped: Account) -> None:
    changed = template()
    [policy] = changed["Resources"]["SageMakerInvokeRole"]["Properties"]["Policies"]
    policy["PolicyDocument"]["Statement"][0]["Resource"] = (
        "arn:aws:sagemaker:us-east-1:123456789012:endpoint/x"
    )
    assert deploy(bootstrapped, changed, SAGEMAKER) == ""
    status, body = bootstrapped.call("POST", ROUTE)
    assert (status, body["code"]) == (502, "BadGateway")


@pytest.mark.parametrize(
    ("properties", "status"),
    [
        ({}, 200),
        ({"SourceAccount": "123456789012"}, 200),
        ({"SourceAccount": "210987654321"}, 503),
        ({"SourceArn": "arn:aws:execute-api:us-east-1:123456789012:other/*/POST/*"}, 503),
        ({"SourceArn": {"Fn::Sub": "arn:aws:execute-api:*:${AWS::AccountId}:${RestApi}/prod/GET/*"}}, 503),
        ({"Principal": "events.amazonaws.com"}, 503),
        ({"Action": "lambda:GetFunction"}, 503),
    ],
)
def test_a_functions_permission_is_held_against_what_api_gateway_sends(
    bootstrapped: Account, properties: Mapping[str, Any], status: int
) -> None:
    changed = template()
    changed["Resources"]["LambdaPermission"]["Properties"] |= properties
    assert deploy(bootstrapped, changed, OPEN_LAMBDA) == ""
    status_, body = bootstrapped.call("POST", ROUTE)
    # What API Gateway says of a function that it can't call, it says of one that is throttled.
    assert (status_, body.get("code")) == (status, None if status == 200 else "Unavailable")


@pytest.mark.parametrize(("condition", "status"), [(None, 200), (OF_ACCOUNT, 500)])
def test_a_local_run_judges_the_trust_too(
    tmp_path: Path, condition: Mapping[str, Any] | None, status: int
) -> None:
    request = httpx.Request("POST", f"http://127.0.0.1{ROUTE}", json={"result": [1]})
    assert call(trusting("SageMakerInvokeRole", condition), request, tmp_path).status_code == status


def test_the_template_demands_only_what_services_send(bootstrapped: Account) -> None:
    stack = Stack(bootstrapped, assembled().template)
    for backend in ("yes-sagemaker", "yes-lambda"):
        stack.become(ImageSimilarity=backend, APIGatewayAuthorization="NONE")
    trusts = {
        name: json.dumps(role["Properties"]["AssumeRolePolicyDocument"])
        for name, role in of_type(assembled().template["Resources"], "AWS::IAM::Role").items()
    }
    held = {name for name, trust in trusts.items() if "aws:SourceAccount" in trust}
    # of the one nothing is sent, of the pollers that assume the other nothing is known
    assert held == trusts.keys() - {"SageMakerInvokeRole", "CatalogueIndexRole"}
    for permission in of_type(assembled().template["Resources"], "AWS::Lambda::Permission").values():
        assert "SourceAccount" not in permission["Properties"], "a whole ARN names the account"
