"""Roles with every statement written out: no managed policy, no grant that adds more than it says."""

from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.conditions import PARTITIONS, Conditions, pick

Statement = Mapping[str, Any]

# Whether a service sends aws:SourceAccount when it assumes a role, each with where it is known from. Only
# where it does may a trust policy ask for it: otherwise the stack deploys and every call of the service
# fails.
SENDS_SOURCE_ACCOUNT = {
    # https://github.com/aws/agent-toolkit-for-aws: AWS's own lambda-trust-policy.json asks for it.
    "lambda": True,
    # Nothing is known about the pollers of an event source mapping, which assume the function's role too.
    "lambda-pollers": False,
    # https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html
    "sagemaker": True,
    # https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/479
    "apigateway": False,
}


def allow(actions: Sequence[str], resource: object, **conditions: Mapping[str, object]) -> Statement:
    """One Allow statement; `conditions` is operator -> keys and values."""
    return _statement("Allow", actions, resource, conditions)


def deny(actions: Sequence[str], resource: object, **conditions: Mapping[str, object]) -> Statement:
    """One Deny statement, as `allow`."""
    return _statement("Deny", actions, resource, conditions)


def _statement(effect: str, actions: Sequence[str], resource: object, conditions: Statement) -> Statement:
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return statement | ({"Condition": conditions} if conditions else {})


def arn(tail: str, **values: str) -> str:
    """An ARN of this partition, region and account: `service`, then `tail` after the account."""
    service, _, rest = tail.partition(":")
    text = f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{rest}"
    return cdk.Fn.sub(text, values or None)


def bucket_arns(conditions: Conditions, buckets: str, tail: str = "") -> object:
    """The ARNs of the listed buckets, each with the tail: `/*` for their objects.

    Fn::Join takes no function as delimiter, so they are written out once for each partition.
    """

    def arns(partition: str) -> object:
        start = f"arn:{partition}:s3:::"
        joined = cdk.Fn.join(f"{tail},{start}", cdk.Fn.split(",", buckets))
        return cdk.Fn.split(",", cdk.Fn.join("", [start, joined, tail]))

    resources = arns("aws")
    for partition, name in reversed(PARTITIONS.items()):
        resources = pick(conditions[name], arns(partition), resources)
    return resources


def read_buckets(
    scope: Construct, role: iam.CfnRole, *, conditions: Conditions, backend: str, buckets: str
) -> None:
    """Let the role read the objects in the listed buckets; without listed buckets nothing is created."""
    policy = iam.CfnPolicy(
        scope,
        "BucketsPolicy",
        policy_name="ReadImageBuckets",
        policy_document=document([allow(["s3:GetObject"], bucket_arns(conditions, buckets, "/*"))]),
        roles=[role.ref],
    )
    policy.cfn_options.condition = conditions[f"Is{backend}WithBuckets"]


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def policy(name: str, statements: Sequence[Statement]) -> iam.CfnRole.PolicyProperty:
    """An inline policy."""
    return iam.CfnRole.PolicyProperty(policy_name=name, policy_document=document(statements))


def service_role(
    scope: Construct,
    role_id: str,
    *,
    service: str,
    description: str,
    policies: Sequence[iam.CfnRole.PolicyProperty],
) -> iam.CfnRole:
    """A role that one AWS service may assume, for this account only where the service names the account.

    aws:SourceAccount keeps the service from being a confused deputy:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html. A role that is passed to a service
    must be of the caller's own account anyway, so a role without the condition is no open door. `service` is
    the name before .amazonaws.com, after a dash which part of it; KeyError for one that is not in
    SENDS_SOURCE_ACCOUNT.
    """
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": f"{service.partition('-')[0]}.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    if SENDS_SOURCE_ACCOUNT[service]:
        trust["Condition"] = {"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}}
    return iam.CfnRole(
        scope,
        role_id,
        description=description,
        assume_role_policy_document=document([trust]),
        policies=list(policies),
    )


def write_logs(group: logs.CfnLogGroup) -> Statement:
    """Write to one log group; not create it, so that none comes back after the stack was deleted."""
    return allow(["logs:CreateLogStream", "logs:PutLogEvents"], group.attr_arn)


def write_traces() -> Statement:
    """Send X-Ray segments; X-Ray has no resource-level permissions."""
    return allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], "*")
