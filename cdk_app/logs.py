"""Log groups that the stack owns: their lines expire, and they are deleted with it."""

import aws_cdk as cdk
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk_app.choices import Choices
from cdk_app.conditions import pick


def log_group(scope: Construct, group_id: str, choices: Choices, name: str | None = None) -> logs.CfnLogGroup:
    """A log group; its name is generated unless the writing service prescribes one."""
    parameters, conditions = choices.parameters, choices.conditions
    group = logs.CfnLogGroup(
        scope,
        group_id,
        log_group_name=name,
        retention_in_days=parameters.number("LogRetentionDays"),
        kms_key_id=cdk.Token.as_string(pick(conditions.has_key, parameters["KmsKeyArn"])),
    )
    group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
    return group
