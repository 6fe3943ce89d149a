"""A backend inside a VPC of the account: where its network interfaces go, and who may make them."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam
from constructs import Construct

from cdk_app import iam
from cdk_app.choices import Choices
from cdk_app.conditions import pick

# What AWS's managed policy AWSLambdaVPCAccessExecutionRole has beside logs:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
FUNCTION_ACTIONS = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)
# https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
MODEL_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


def function_statements() -> list[iam.Statement]:
    """For Lambda itself; the function's own code, which has the same role, is denied all of it.

    Calls from inside the function carry its ARN, those that Lambda makes for it don't. The function can't be
    named here, as it waits for this policy; no other function has the role.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-best-practice
    """
    code = {"lambda:SourceFunctionArn": iam.arn("lambda:function:*")}
    return [iam.allow(FUNCTION_ACTIONS, "*"), iam.deny(FUNCTION_ACTIONS, "*", ArnLike=code)]


def model_statements() -> list[iam.Statement]:
    """For SageMaker; its calls can't be told from those of the container, which has the same role."""
    return [iam.allow(MODEL_ACTIONS, "*")]


def placement(
    scope: Construct,
    role: aws_iam.CfnRole,
    *,
    choices: Choices,
    backend: str,
    statements: Sequence[iam.Statement],
    subnets: str,
) -> cdk.IResolvable:
    """The VpcConfig of what runs in the VPC, and the policy that lets its service manage the interfaces.

    Args:
        scope: the backend's construct.
        role: what the service assumes.
        choices: parameters, conditions and flags.
        backend: its name in conditions.
        statements: of the policy, which exists while the backend is in a VPC.
        subnets: the name of the subnets' property.

    Returns:
        The property, left out where there is no VPC. It refers to the policy, so that the policy is there
        before the interfaces are made and until they are given up; DependsOn can't say so, as it must not
        name a resource that may be absent (cfn-lint, E3005).
    """
    parameters, conditions = choices.parameters, choices.conditions
    policy = aws_iam.CfnPolicy(
        scope,
        "NetworkPolicy",
        policy_name="ManageNetworkInterfaces",
        policy_document=iam.document(statements),
        roles=[role.ref],
    )
    policy.cfn_options.condition = conditions[f"Is{backend}InVpc"]

    def ids(name: str) -> list[str]:
        joined = cdk.Fn.join("|", [parameters[name], policy.ref])
        return cdk.Fn.split(",", cdk.Fn.select(0, cdk.Fn.split("|", joined)))

    vpc = {subnets: ids("SubnetIds"), "SecurityGroupIds": ids("SecurityGroupIds")}
    return cdk.Token.as_any(pick(conditions.in_vpc, vpc))
