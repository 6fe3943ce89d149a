"""cdk-nag's AwsSolutions rules over the whole app, and the findings we decline, each with its reason.

An acknowledgment names one construct and one finding. Tests prove that none is stale, and that a finding
that nobody acknowledged stops synthesis.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

WILDCARD = "AwsSolutions-IAM5"
TRACES = "X-Ray takes segments from an account, not from a resource: its actions know no other than *."
INTERFACES = (
    "Network interfaces that do not exist yet have no name, and describing actions know no resources. The "
    "policy exists where SubnetIds is given; what Lambda's own code may do with it is nothing: Deny."
)
OBJECTS = "Every object, but only read, and only in the buckets that the parameter ImageBuckets lists."
WORKERS = ("Catalogue/Serving/Index", "Catalogue/Serving/Answer")
ALARMS = (
    "ApiErrorsAlarm",
    "ApiLatencyAlarm",
    "ApiRequestsAlarm",
    "CatalogueAgeAlarm",
    "CatalogueDeadLettersAlarm",
    "CatalogueEventsAlarm",
    "CatalogueSpendAlarm",
    "CatalogueThrottlesAlarm",
    "LambdaSpendAlarm",
    "LambdaThrottlesAlarm",
    "SageMakerHealthAlarm",
    "SageMakerThrottlesAlarm",
)


@dataclass(frozen=True)
class Acknowledged:
    """One finding that stays.

    Attributes:
        path: the construct's path in the stack.
        rule: the rule's id.
        reason: why it stays.
        resource: for a wildcard, a part of the resource in the policy that tells it from others.
    """

    path: str
    rule: str
    reason: str
    resource: str = ""


def _default(parameter: str, part: str) -> str:
    return f"Judged with {parameter}'s default, the empty text; exactly then Fn::If leaves {part} out."


ACKNOWLEDGED = (
    Acknowledged(
        "Api/RestApi",
        "AwsSolutions-APIG2",
        "Both backends validate every request, in the same words and order; a validator of API Gateway's own "
        "would refuse in other words, and requests without a Content-Type, which count as JSON.",
    ),
    Acknowledged(
        "Api/Stage",
        "AwsSolutions-APIG1",
        "The parameter AccessLogs switches them on: they need a role that is the region's, not the stack's.",
    ),
    Acknowledged(
        "Api/Stage",
        "AwsSolutions-APIG6",
        "Execution logs hold what callers send, in a log group that API Gateway makes and the stack's "
        "deletion leaves; access logs and the backends' own lines tell the rest.",
    ),
    Acknowledged(
        "Explorer/Function",
        "AwsSolutions-L1",
        "The newest runtime that is known to be in every region, China's included; supported as long as the "
        "newest.",
    ),
    Acknowledged("Explorer/Role", WILDCARD, TRACES, "*"),
    Acknowledged("Lambda/Role", WILDCARD, TRACES, "*"),
    Acknowledged(
        "SageMaker/Role",
        WILDCARD,
        "ecr:GetAuthorizationToken and cloudwatch:PutMetricData know no resources; the latter is held to "
        "SageMaker's namespace by a condition.",
        "*",
    ),
    Acknowledged(
        "SageMaker/Role",
        WILDCARD,
        "The log groups of this stack's endpoints alone: the prefix has the stack's id, the rest is the "
        "instance type, so that old and new endpoint may both write while one replaces the other.",
        "log-group:/aws/sagemaker/Endpoints/",
    ),
    Acknowledged(
        "SageMaker/InvokeRole",
        WILDCARD,
        "The endpoints of this stack alone: the prefix has the stack's id, the rest is the instance type, so "
        "that calls to the old endpoint work until the stage points to the new one.",
        ":endpoint/",
    ),
    *(
        Acknowledged(f"{backend}/BucketsPolicy", WILDCARD, OBJECTS, "s3:::")
        for backend in ("Lambda", "SageMaker")
    ),
    *(
        Acknowledged(f"{backend}/NetworkPolicy", WILDCARD, INTERFACES, "*")
        for backend in ("Lambda", "SageMaker", *WORKERS)
    ),
    *(Acknowledged(f"{worker}/Role", WILDCARD, TRACES, "*") for worker in WORKERS),
    *(Acknowledged(f"{worker}/Role", WILDCARD, OBJECTS, "/*,arn:") for worker in WORKERS),
    Acknowledged(
        "Catalogue/Table",
        "AwsSolutions-DDB3",
        "It holds which pictures failed and how far a sync came: the next sync writes all of it anew.",
    ),
    *(
        Acknowledged(
            f"Observability/{alarm}",
            "CloudFormation-Validate::F3033",
            _default("AlarmTopicArn", "the action"),
        )
        for alarm in ALARMS
    ),
    *(
        Acknowledged(f"{path}LogGroup", "CloudFormation-Validate::F3031", _default("KmsKeyArn", "the key"))
        for path in (
            "Api/Access",
            "Explorer/",
            "Lambda/",
            "SageMaker/",
            *(f"{worker}/" for worker in WORKERS),
        )
    ),
    *(
        Acknowledged(
            f"{path}/Function",
            "CloudFormation-Validate::F3012",
            _default("LambdaMaxConcurrency", "the reservation"),
        )
        for path in ("Lambda", "Catalogue/Serving/Answer")
    ),
    Acknowledged(
        "Api/Stage",
        "CloudFormation-Validate::F3012",
        "Judged with the throttles' default, auto; exactly then Fn::If puts a number there.",
    ),
)


def check(app: cdk.App) -> None:
    """Register the rules; synthesis then fails on a finding that nobody acknowledged."""
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def acknowledge(stack: cdk.Stack) -> None:
    """Attach the acknowledgments; those of a backend whose image is not built have no construct."""
    for item in ACKNOWLEDGED:
        construct = _find(stack, item.path)
        for finding in findings(stack, item):
            acknowledgment = cdk.Acknowledgment(id=finding, reason=item.reason)
            cdk.Validations.of(construct or stack).acknowledge(acknowledgment)


def _find(stack: cdk.Stack, path: str) -> IConstruct | None:
    found: IConstruct | None = stack
    for part in path.split("/"):
        found = found and found.node.try_find_child(part)
    return found


def findings(stack: cdk.Stack, item: Acknowledged) -> list[str]:
    """The ids under which the tools report the finding; cdk-nag puts the whole resource into a wildcard's.

    Empty where the stack has no such construct.
    """
    construct = _find(stack, item.path)
    if construct is None:
        return []
    if item.rule != WILDCARD:
        return [item.rule]
    texts = {
        resource if isinstance(resource, str) else json.dumps(resource, separators=(",", ":"))
        for resource in _resources(stack, construct)
    }
    matching = [
        text for text in texts if text == item.resource or (len(item.resource) > 1 and item.resource in text)
    ]
    return [f"{WILDCARD}[Resource::{text}]" for text in matching]


def _resources(stack: cdk.Stack, construct: IConstruct) -> Iterator[object]:
    """Every Resource of the construct's policies, as cdk-nag writes it: of Fn::Sub only what is inside."""
    documents = []
    if isinstance(construct, iam.CfnRole):
        documents = [policy["policyDocument"] for policy in stack.resolve(construct.policies)]
    elif isinstance(construct, iam.CfnPolicy):
        documents = [stack.resolve(construct.policy_document)]
    for document in documents:
        for statement in document["Statement"]:
            resource = statement["Resource"]
            yield resource.get("Fn::Sub", resource) if isinstance(resource, dict) else resource
