"""Log groups that the stack owns: they expire, and they go when it goes."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.parameters import Parameters


def log_group(
    scope: Construct, group_id: str, parameters: Parameters, name: str | None = None
) -> logs.CfnLogGroup:
    """A log group; its name is generated where the writing service does not prescribe one."""
    days = parameters.number("LogRetentionDays")
    group = logs.CfnLogGroup(scope, group_id, log_group_name=name, retention_in_days=days)
    group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    return group
