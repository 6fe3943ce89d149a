"""What is read of services beside CloudFormation: by moto on loopback, scripted where moto lacks a call."""

import io
import json
import zipfile

import boto3
import pytest
from botocore.stub import Stubber

from tests.verification.test_aws import clients
from verify.aws.services import AwsServices
from verify.facts import CloudFailed, VectorIndex

WHERE = ("aws", "us-east-1", "123456789012")


@pytest.fixture
def services(account: boto3.Session) -> AwsServices:
    return AwsServices(clients(account), WHERE)


def test_the_web_acl_of_a_stage_and_none(account: boto3.Session, services: AwsServices) -> None:
    waf = account.client("wafv2")
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "one"}
    made = waf.create_web_acl(
        Name="one", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visible
    )
    arn = made["Summary"]["ARN"]
    stage = "arn:aws:apigateway:us-east-1::/restapis/abcdef1234/stages/prod"
    assert services.web_acl("abcdef1234", "prod") == ""
    waf.associate_web_acl(WebACLArn=arn, ResourceArn=stage)
    assert services.web_acl("abcdef1234", "prod") == arn
    assert services.web_acl("abcdef1234", "dev") == ""


def test_interfaces_are_those_of_the_function_and_of_none_whose_name_goes_on(
    account: boto3.Session, services: AwsServices
) -> None:
    client = account.client("ec2")
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    made = {
        name: client.create_network_interface(SubnetId=subnet, Description=f"AWS Lambda VPC ENI-{name}")
        for name in ("mine-1a2b", "mine-3c4d", "mine2-1a2b", "other-1a2b")
    }
    ids = {name: answer["NetworkInterface"]["NetworkInterfaceId"] for name, answer in made.items()}
    assert services.interfaces("mine") == sorted([ids["mine-1a2b"], ids["mine-3c4d"]])
    assert services.interfaces("absent") == []


def test_the_pattern_of_a_rule(account: boto3.Session, services: AwsServices) -> None:
    pattern = {"source": ["aws.s3"], "detail": {"bucket": {"name": ["one", "two"]}}}
    account.client("events").put_rule(Name="mine", EventPattern=json.dumps(pattern))
    assert services.event_pattern("mine") == pattern
    with pytest.raises(CloudFailed, match=r"The rule absent can't be read: .*ResourceNotFoundException"):
        services.event_pattern("absent")


def test_an_index_of_s3_vectors(account: boto3.Session, services: AwsServices) -> None:
    client = account.client("s3vectors")
    client.create_vector_bucket(vectorBucketName="vectors")
    client.create_index(
        vectorBucketName="vectors",
        indexName="pictures",
        dataType="float32",
        dimension=512,
        distanceMetric="cosine",
    )
    arn = "arn:aws:s3vectors:us-east-1:123456789012:bucket/vectors/index/pictures"
    assert services.vector_index(arn) == VectorIndex("vectors", 512, "cosine")
    with pytest.raises(CloudFailed, match="can't be read"):
        services.vector_index(f"{arn}-2")


def test_objects_come_and_go(account: boto3.Session, services: AwsServices) -> None:
    client = account.client("s3")
    client.create_bucket(Bucket="mine")
    services.put_object("mine", "a/b.jpg", b"picture")
    assert client.get_object(Bucket="mine", Key="a/b.jpg")["Body"].read() == b"picture"
    services.delete_object("mine", "a/b.jpg")
    assert "Contents" not in client.list_objects_v2(Bucket="mine")
    with pytest.raises(CloudFailed, match=r"s3://absent/a.jpg can't be written: .*NoSuchBucket"):
        services.put_object("absent", "a.jpg", b"")


@pytest.mark.parametrize("most", [None, 7])
def test_the_concurrency_of_a_mapping(
    most: int | None, account: boto3.Session, services: AwsServices
) -> None:
    queue = account.client("sqs").create_queue(QueueName="mine")["QueueUrl"]
    client = account.client("sqs")
    arn = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    role = account.client("iam").create_role(RoleName="mine", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    zipfile.ZipFile(code, "w").close()
    functions = account.client("lambda")
    functions.create_function(
        FunctionName="mine",
        Role=role,
        Runtime="python3.13",
        Handler="a.b",
        Code={"ZipFile": code.getvalue()},
    )
    limit = {} if most is None else {"ScalingConfig": {"MaximumConcurrency": most}}
    made = functions.create_event_source_mapping(EventSourceArn=arn, FunctionName="mine", **limit)
    assert services.concurrency(made["UUID"]) == most


def scripted(service: str) -> tuple[AwsServices, Stubber]:
    """Services of which one is scripted; botocore holds both sides to the service's own model."""
    client = boto3.client(  # type: ignore[call-overload]
        service,
        region_name="us-east-1",
        endpoint_url="http://127.0.0.1:9",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    return AwsServices(lambda name: {service: client}[name], WHERE), Stubber(client)


@pytest.mark.parametrize("decision", ["allowed", "explicitDeny", "implicitDeny"])
def test_iam_is_asked_as_the_functions_own_code_calls(decision: str) -> None:
    role, action = "arn:aws:iam::123456789012:role/mine", "ec2:CreateNetworkInterface"
    key = {
        "ContextKeyName": "lambda:SourceFunctionArn",
        "ContextKeyValues": ["arn:aws:lambda:us-east-1:123456789012:function:mine"],
        "ContextKeyType": "string",
    }
    answer = {"EvaluationResults": [{"EvalActionName": action, "EvalDecision": decision}]}
    wanted = {"PolicySourceArn": role, "ActionNames": [action], "ContextEntries": [key]}
    asked, script = scripted("iam")
    script.add_response("simulate_principal_policy", answer, wanted)
    with script:
        assert asked.decision(role, action, "mine") == decision
        script.assert_no_pending_responses()


@pytest.mark.parametrize("mode", ["Allow", "Terminate"])
def test_the_recursion_of_a_function(mode: str) -> None:
    asked, script = scripted("lambda")
    script.add_response("get_function_recursion_config", {"RecursiveLoop": mode}, {"FunctionName": "mine"})
    with script:
        assert asked.recursion("mine") == mode
        script.assert_no_pending_responses()


def test_a_region_without_loop_detection_is_a_sentence() -> None:
    asked, script = scripted("lambda")
    script.add_client_error("get_function_recursion_config", "UnknownOperationException", "")
    with script, pytest.raises(CloudFailed, match=r"The recursion of mine can't be read: .*UnknownOperation"):
        asked.recursion("mine")
