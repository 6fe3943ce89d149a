"""Roles whose every statement is written out: no managed policy, no grant that adds more than it says."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.conditions import Conditions, pick

Statement = Mapping[str, Any]


def allow(actions: Sequence[str], resource: object, **conditions: Mapping[str, object]) -> Statement:
    """One Allow statement; `conditions` is operator -> keys and values."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return statement | ({"Condition": conditions} if conditions else {})


def arn(tail: str, **values: str) -> str:
    """An ARN of this partition, region and account: `service`, then `tail` after the account."""
    service, _, rest = tail.partition(":")
    text = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"
    return cdk.Fn.sub(text, values or None)


def read_buckets(conditions: Conditions, buckets: str) -> object:
    """A policy that reads the objects of the listed buckets, or nothing where none is listed.

    Fn::Join takes no function as delimiter, so the partition is written out once for each.
    """

    def arns(partition: str) -> object:
        start, end = f"arn:{partition}:s3:::", "/*"
        joined = cdk.Fn.join(f"{end},{start}", cdk.Fn.split(",", buckets))
        return cdk.Fn.split(",", cdk.Fn.join("", [start, joined, end]))

    resources = pick(
        conditions["InChina"], arns("aws-cn"), pick(conditions["InGovCloud"], arns("aws-us-gov"), arns("aws"))
    )
    return pick(conditions.has_buckets, policy("ReadImageBuckets", [allow(["s3:GetObject"], resources)]))


def policy(name: str, statements: Sequence[Statement]) -> dict[str, Any]:
    """An inline policy."""
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": list(statements)}}


def service_role(
    scope: Construct, role_id: str, *, service: str, description: str, policies: Sequence[object]
) -> iam.CfnRole:
    """A role that one AWS service may assume, for this account only.

    aws:SourceAccount keeps the service from being a confused deputy:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
    """
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service}.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
    }
    role = iam.CfnRole(
        scope,
        role_id,
        description=description,
        assume_role_policy_document={"Version": "2012-10-17", "Statement": [trust]},
    )
    role.add_property_override("Policies", list(policies))
    return role


def write_logs(group: logs.CfnLogGroup) -> Statement:
    """Write to one log group; not create it, so that none comes back after the stack was deleted."""
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], group.attr_arn)


def write_traces() -> Statement:
    """Send X-Ray segments; X-Ray knows no resources."""
    return allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")
