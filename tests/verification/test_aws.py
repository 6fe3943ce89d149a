"""The account behind boto3: CloudFormation as its API answers, and services on loopback."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from verify.aws.account import AwsCloud
from verify.aws.failures import absent
from verify.aws.leftovers import TYPES, leftovers
from verify.aws.services import AwsServices
from verify.facts import CloudFailed, LogGroup, Resource, Stack

ABSENT = {
    "AWS::Lambda::EventSourceMapping": "00000000-0000-4000-8000-000000000000",
    "AWS::SQS::Queue": "http://127.0.0.1/123456789012/absent",
}
ID = "arn:aws:cloudformation:us-east-1:123456789012:stack/Mine/51af3dc0-da77-11e4-872e-1234567db123"


class Session:
    """A session whose CloudFormation is scripted."""

    region_name: str | None = "us-east-1"

    def __init__(self) -> None:
        real = boto3.Session("key", "secret", region_name="us-east-1")
        self.credentials = real.get_credentials()
        self.formation = real.client("cloudformation", endpoint_url="http://127.0.0.1:9")
        self.script = Stubber(self.formation)

    def get_credentials(self) -> Any:
        return self.credentials

    def client(self, service: str) -> Any:
        assert service == "cloudformation"
        return self.formation

    def described(self, status: str) -> None:
        parameters = [{"ParameterKey": name, "ParameterValue": "1"} for name in ("One", "Two")]
        stack = {
            "StackId": ID,
            "StackName": "Mine",
            "StackStatus": status,
            "CreationTime": datetime.now(UTC),
            "Parameters": parameters,
        }
        self.script.add_response("describe_stacks", {"Stacks": [stack]})

    def listed(self) -> None:
        item = {
            "LogicalResourceId": "RestApi",
            "PhysicalResourceId": "abcdef1234",
            "ResourceType": "AWS::ApiGateway::RestApi",
            "LastUpdatedTimestamp": datetime.now(UTC),
            "ResourceStatus": "CREATE_COMPLETE",
        }
        gone = {**item, "LogicalResourceId": "Gone", "ResourceStatus": "DELETE_COMPLETE"}
        self.script.add_response("list_stack_resources", {"StackResourceSummaries": [item, gone]})


@pytest.fixture
def session() -> Iterator[Session]:
    scripted = Session()
    with scripted.script:
        yield scripted
        scripted.script.assert_no_pending_responses()


def cloud(session: Session) -> AwsCloud:
    """A cloud that has been looked at."""
    for _ in range(2):
        session.described("CREATE_COMPLETE")
    session.listed()
    return AwsCloud(session, "Mine", poll_seconds=0)  # type: ignore[arg-type]


def test_the_stack_tells_where_it_is(session: Session) -> None:
    made = cloud(session)
    assert (made.region, made.account) == ("us-east-1", "123456789012")
    session.described("UPDATE_COMPLETE")
    session.listed()
    stack = made.stack()
    assert stack.resources == {"RestApi": Resource("AWS::ApiGateway::RestApi", "abcdef1234")}
    assert stack.parameters == {"One": "1", "Two": "1"}


def test_an_update_waits_for_what_runs_and_calls_meanwhile(session: Session) -> None:
    made, ticks = cloud(session), list[int]()
    for status in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE"):
        session.described(status)  # an update that was interrupted ends first
    wanted = {
        "StackName": "Mine",
        "UsePreviousTemplate": True,
        "Capabilities": ["CAPABILITY_IAM"],
        "Parameters": [
            {"ParameterKey": "One", "UsePreviousValue": True},
            {"ParameterKey": "Two", "ParameterValue": "2"},
        ],
    }
    session.script.add_response("update_stack", {"StackId": ID}, wanted)
    for status in ("UPDATE_IN_PROGRESS", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_COMPLETE"):
        session.described(status)
    outcome = made.update({"Two": "2"}, lambda: ticks.append(1))
    assert (outcome.status, outcome.reason, len(ticks)) == ("UPDATE_COMPLETE", "", 2)


def test_a_failure_is_told_by_its_first_reason(session: Session) -> None:
    made, now = cloud(session), datetime.now(UTC)
    session.described("CREATE_COMPLETE")
    session.script.add_response("update_stack", {"StackId": ID})
    for status in ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"):
        session.described(status)

    def event(name: str, status: str, reason: str, seconds: int) -> dict[str, Any]:
        return {
            "StackId": ID,
            "EventId": name + str(seconds),
            "StackName": "Mine",
            "LogicalResourceId": name,
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "Timestamp": now + timedelta(seconds=seconds),
        }

    events = [
        event("Stage", "UPDATE_FAILED", "Resource update cancelled", 9),
        event("WebAcl", "CREATE_FAILED", "WAFNonexistentItemException", 5),
        event("WebAcl", "CREATE_IN_PROGRESS", "", 4),
        event("Old", "UPDATE_FAILED", "of last week", -600_000),
    ]
    session.script.add_response("describe_stack_events", {"StackEvents": events})
    outcome = made.update({"Two": "2"}, lambda: None)
    assert outcome.status == "UPDATE_ROLLBACK_COMPLETE"
    assert outcome.reason == "WebAcl: WAFNonexistentItemException"
    assert not outcome.worked


def test_a_refused_update_is_told(session: Session) -> None:
    made = cloud(session)
    session.described("CREATE_COMPLETE")
    session.script.add_client_error("update_stack", "ValidationError", "No updates are to be performed.")
    with pytest.raises(CloudFailed, match=r"CloudFormation refuses Two: .*No updates are to be performed"):
        made.update({"Two": "2"}, lambda: None)


def test_allowed_values_come_from_the_template(session: Session) -> None:
    made = cloud(session)
    declared = [
        {"ParameterKey": "One", "ParameterConstraints": {"AllowedValues": ["a", "b"]}},
        {"ParameterKey": "Two"},
    ]
    for _ in range(2):
        session.script.add_response("get_template_summary", {"Parameters": declared})
    assert made.allowed("One") == ["a", "b"]
    assert made.allowed("Two") == []


def test_a_session_without_a_region_or_credentials_is_a_sentence(session: Session) -> None:
    session.region_name = None
    with pytest.raises(CloudFailed, match="No region is known"):
        AwsCloud(session, "Mine")  # type: ignore[arg-type]
    session.region_name, session.credentials = "us-east-1", None
    with pytest.raises(CloudFailed, match="No AWS credentials"):
        AwsCloud(session, "Mine")  # type: ignore[arg-type]


# moto's services on loopback


def clients(session: boto3.Session) -> Callable[[str], Any]:
    return lambda service: session.client(service)  # type: ignore[call-overload]


def test_what_is_still_there_is_left_over_until_it_is_deleted(account: boto3.Session) -> None:
    logs, iam, gateway = (account.client(name) for name in ("logs", "iam", "apigateway"))
    logs.create_log_group(logGroupName="mine")
    logs.create_log_group(logGroupName="mine-too")
    logs.put_retention_policy(logGroupName="mine", retentionInDays=7)
    iam.create_role(RoleName="mine", AssumeRolePolicyDocument="{}")
    api = gateway.create_rest_api(name="mine")["id"]
    services = AwsServices(clients(account), ("aws", "us-east-1", "123456789012"))
    assert services.log_groups(["mine", "absent"]) == {"mine": LogGroup(7, "")}
    resources = {
        "One": Resource("AWS::Logs::LogGroup", "mine"),
        "Two": Resource("AWS::IAM::Role", "mine"),
        "Three": Resource("AWS::ApiGateway::RestApi", api),
        "Four": Resource("AWS::ApiGateway::Stage", "goes with the API"),
    }
    stack = Stack(ID, "", {}, {}, resources)
    assert leftovers(clients(account), stack) == [
        f"AWS::ApiGateway::RestApi {api}",
        "AWS::IAM::Role mine",
        "AWS::Logs::LogGroup mine",
    ]
    logs.delete_log_group(logGroupName="mine")
    iam.delete_role(RoleName="mine")
    gateway.delete_rest_api(restApiId=api)
    assert leftovers(clients(account), stack) == []


def test_log_groups_that_services_made_are_left_over(account: boto3.Session) -> None:
    account.client("logs").create_log_group(logGroupName="/aws/lambda/Mine-Function-1")
    assert leftovers(clients(account), Stack(ID, "", {}, {}, {})) == ["log group /aws/lambda/Mine-Function-1"]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_what_is_not_there_is_not_left_over(kind: str, account: boto3.Session) -> None:
    name = ABSENT.get(kind, "absent")
    stack = Stack(ID, "", {}, {}, {"One": Resource(kind, name)})
    assert leftovers(clients(account), stack) == []


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("NoSuchEntity", "", True),
        ("ValidationException", 'Could not find endpoint "x".', True),
        ("ValidationException", "1 validation error detected", False),
        ("AccessDeniedException", "User: x is not authorized to perform: y", False),
        ("ThrottlingException", "Rate exceeded", False),
    ],
)
def test_only_what_is_said_to_be_gone_is_gone(code: str, message: str, expected: bool) -> None:
    assert absent(ClientError({"Error": {"Code": code, "Message": message}}, "Describe")) == expected
