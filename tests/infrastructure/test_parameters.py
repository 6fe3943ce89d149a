"""The parameters are the contract's: names, values, defaults, and what CloudFormation refuses."""

import re
from typing import Any

import pytest

from cdk_app.config import DeploymentConfig
from cdk_app.constraints import Pattern
from cdk_app.specs import specs
from local.template.resolve import ResolveError, resolve

CONTRACT: dict[str, tuple[Any, list[str] | None]] = {
    "ImageSimilarity": ("yes-lambda", ["yes-lambda", "yes-sagemaker", "no"]),
    "APIGatewayAuthorization": ("AWS_IAM", ["AWS_IAM", "NONE"]),
    "APIExplorer": ("yes", ["yes", "no"]),
    "APIGatewayStageName": ("prod", None),
    "ImageBuckets": ("", None),
    "LambdaMemorySize": (3008, None),
    "SageMakerInstanceType": ("ml.c5.large", None),
    "SageMakerMinInstances": (1, None),
    "SageMakerMaxInstances": (2, None),
    "ThrottlingRateLimit": (50, None),
    "ThrottlingBurstLimit": (100, None),
    "LogRetentionDays": ("30", None),
    "AlarmTopicArn": ("", None),
    "AccessLogs": ("no", ["yes", "no"]),
}
REFUSED = {
    "ImageSimilarity": ["yes", "YES-LAMBDA", ""],
    "APIGatewayAuthorization": ["IAM", ""],
    "APIGatewayStageName": ["", "a/b", "prod stage", "a" * 129],
    "ImageBuckets": ["Bucket", "a,", "a, b", ",", "bucket/key", "*", "arn:aws:s3:::bucket"],
    "LambdaMemorySize": ["1023", "10241", "much"],
    "SageMakerInstanceType": ["ml.p5.48xlarge", "c5.large", "ml.g4dn.xlarge"],
    "SageMakerMinInstances": ["0", "-1"],
    "SageMakerMaxInstances": ["0"],
    "ThrottlingRateLimit": ["0", "10001"],
    "ThrottlingBurstLimit": ["0", "5001"],
    "LogRetentionDays": ["0", "31"],
    "AlarmTopicArn": ["topic", "arn:aws:sqs:us-east-1:123456789012:queue"],
    "AccessLogs": ["true"],
}
ACCEPTED = {
    "APIGatewayStageName": ["v1", "a_b-c"],
    "ImageBuckets": ["", "one-bucket", "one-bucket,two.buckets"],
    "LambdaMemorySize": ["1024", "10240"],
    "AlarmTopicArn": [
        "",
        "arn:aws:sns:us-east-1:123456789012:alarms",
        "arn:aws-cn:sns:cn-north-1:123456789012:alarms",
    ],
    "SageMakerInstanceType": ["ml.c6i.xlarge"],
}


def test_names_values_and_defaults_are_the_contract(template: dict[str, Any]) -> None:
    found = {
        name: (value["Default"], value.get("AllowedValues")) for name, value in template["Parameters"].items()
    }
    assert found.keys() == CONTRACT.keys()
    for name, (default, values) in CONTRACT.items():
        assert found[name][0] == default
        assert values is None or found[name][1] == values


def test_every_parameter_is_grouped_labelled_and_explained(template: dict[str, Any]) -> None:
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(CONTRACT)
    assert interface["ParameterLabels"].keys() == CONTRACT.keys()
    for name, parameter in template["Parameters"].items():
        assert len(parameter["Description"]) > 40, name
        assert parameter["ConstraintDescription"].startswith("must be "), name
        assert parameter.keys() & {"AllowedValues", "AllowedPattern", "MinValue"}, name


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in REFUSED for value in REFUSED[name]])
def test_refuses(template: dict[str, Any], name: str, value: str) -> None:
    with pytest.raises(ResolveError, match=name):
        resolve(template, {name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in ACCEPTED for value in ACCEPTED[name]])
def test_accepts(template: dict[str, Any], name: str, value: str) -> None:
    assert str(resolve(template, {name: value}).parameters[name]) == value


@pytest.mark.parametrize(
    ("lowest", "highest", "refused"), [("3", "2", True), ("2", "1", True), ("3", "3", False)]
)
def test_a_rule_refuses_a_minimum_over_the_maximum(
    template: dict[str, Any], lowest: str, highest: str, refused: bool
) -> None:
    values = {"SageMakerMinInstances": lowest, "SageMakerMaxInstances": highest}
    if not refused:
        assert resolve(template, values).parameters["SageMakerMinInstances"]
        return
    with pytest.raises(ResolveError, match=f"over SageMakerMaxInstances, which is {highest}"):
        resolve(template, values)


def test_patterns_hold_the_whole_value_in_cloudformation_too(template: dict[str, Any]) -> None:
    for spec in specs(DeploymentConfig.from_context({})):
        if isinstance(spec.constraint, Pattern):
            pattern = template["Parameters"][spec.name]["AllowedPattern"]
            assert pattern.startswith("^(")
            assert pattern.endswith(")$")
            assert re.compile(pattern).groups < 5
