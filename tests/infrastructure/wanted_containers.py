"""What every function and endpoint that runs an image must have: environment, buckets, network interfaces."""

from collections.abc import Mapping
from typing import Any

from tests.cloudformation.providers.functions import CREATE_INTERFACE, DELETE_INTERFACE
from tests.infrastructure.account import Account

Parameters = Mapping[str, str]


def readable(account: Account, role_arn: str) -> set[str]:
    """Resources of the role's statements that allow s3:GetObject."""
    client, name = account.client("iam"), role_arn.rsplit("/", 1)[1]
    resources: set[str] = set()
    for policy in client.list_role_policies(RoleName=name)["PolicyNames"]:
        document = client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        for statement in document["Statement"]:
            if "s3:GetObject" in statement["Action"]:
                resources |= set(statement["Resource"])
    return resources


def reserved(account: Account, function: Mapping[str, Any]) -> int | None:
    """The concurrency that is reserved for a function as Lambda lists it."""
    answer = account.client("lambda").get_function_concurrency(FunctionName=function["FunctionName"])
    number: int | None = answer.get("ReservedConcurrentExecutions")
    return number


def objects(parameters: Parameters) -> set[str]:
    return {f"arn:aws:s3:::{name}/*" for name in parameters["ImageBuckets"].split(",") if name}


def listed(value: str) -> list[str]:
    return value.split(",") if value else []


def check_environment(variables: Mapping[str, str], parameters: Parameters) -> None:
    assert variables["IMAGE_BUCKETS"] == parameters["ImageBuckets"]
    assert variables["URL_HOSTS"] == parameters["UrlHosts"]
    assert variables["USER_AGENT_CONTACT"] == parameters["UserAgentContact"]


def check_interfaces(account: Account, role: str, parameters: Parameters) -> None:
    """Lambda may make network interfaces exactly where there is a VPC, and the function's code never."""
    in_vpc, may = bool(parameters["SubnetIds"]), account.permissions.may
    code = {"lambda:SourceFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:any"}
    for action in (CREATE_INTERFACE, DELETE_INTERFACE):
        assert may(role, action) == in_vpc
        assert not may(role, action, **code)
    assert (role in account.cloud.interfaces.values()) == in_vpc
