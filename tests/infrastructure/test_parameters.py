"""The parameters are the contract's: names, values, defaults, and what CloudFormation refuses."""

import re
from typing import Any

import pytest

from cdk_app.config import defaults
from cdk_app.constraints import Pattern
from cdk_app.parameter_rows import PARAMETERS
from image_similarity.inference.sources.policy import SourcePolicy
from local.template.intrinsics import ResolveError
from local.template.resolve import resolve
from tests.infrastructure.account import GUID, LOG_KEYS, WEB_ACLS

CONTRACT: dict[str, tuple[Any, list[str] | None]] = {
    "ImageSimilarity": ("yes-lambda", ["yes-lambda", "yes-sagemaker", "no"]),
    "APIGatewayAuthorization": ("AWS_IAM", ["AWS_IAM", "NONE"]),
    "APIExplorer": ("yes", ["yes", "no"]),
    "APIGatewayStageName": ("prod", None),
    "ImageBuckets": ("", None),
    "LambdaMemorySize": (3008, None),
    "Catalogue": ("no", ["no", "yes", "paused"]),
    "CatalogueConcurrency": (2, None),
    "SageMakerInstanceType": ("ml.c5.large", None),
    "SageMakerMinInstances": (1, None),
    "SageMakerMaxInstances": (2, None),
    "ThrottlingRateLimit": ("auto", None),
    "ThrottlingBurstLimit": ("auto", None),
    "LambdaMaxConcurrency": ("", None),
    "UrlHosts": ("", None),
    "UserAgentContact": ("", None),
    "SubnetIds": ("", None),
    "SecurityGroupIds": ("", None),
    "WebAclArn": ("", None),
    "KmsKeyArn": ("", None),
    "LogRetentionDays": ("30", None),
    "AlarmTopicArn": ("", None),
    "AccessLogs": ("no", ["yes", "no"]),
}
REFUSED = {
    "ImageSimilarity": ["yes", "YES-LAMBDA", ""],
    "APIGatewayAuthorization": ["IAM", ""],
    "APIGatewayStageName": ["", "a/b", "prod stage", "a" * 129],
    "ImageBuckets": [
        *("Bucket", "a,", "a, b", ",", "bucket/key", "*", "arn:aws:s3:::bucket"),
        ",".join(f"b{number:03d}" for number in range(101)),
    ],
    "LambdaMemorySize": ["1023", "10241", "much"],
    "Catalogue": ["", "on", "absent", "YES"],
    "CatalogueConcurrency": ["0", "1", "1001", "few"],
    "SageMakerInstanceType": ["ml.p5.48xlarge", "c5.large", "ml.g4dn.xlarge"],
    "SageMakerMinInstances": ["0", "-1"],
    "SageMakerMaxInstances": ["0"],
    "ThrottlingRateLimit": ["0", "10001", "", "Auto", "1.5", "automatic"],
    "ThrottlingBurstLimit": ["0", "5001", "", "-1", "99999"],
    "LambdaMaxConcurrency": ["0", "-1", "auto", "1.5", " 5"],
    "UrlHosts": [
        "*",
        "*.example.com",
        "a,",
        "a, b",
        "https://a.example",
        "a.example/x",
        "..a",
        "A.example",
        "none,a.example",
        "a.example,none",
        "localhost",
        "a.example:80",
    ],
    "UserAgentContact": [
        "me",
        "ftp://example.com",
        "https://a b",
        "a (b)@c.example",
        "a@b.example)x",
        "https://example.com/" + "x" * 181,
    ],
    "SubnetIds": ["subnet-1", "sg-01234567", "subnet-01234567,", ",".join(["subnet-01234567"] * 17)],
    "SecurityGroupIds": ["subnet-01234567", "sg-0123456g", ",".join(["sg-01234567"] * 6)],
    "WebAclArn": [f"arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/{GUID}", "a", WEB_ACLS[0] + "x"],
    "KmsKeyArn": ["arn:aws:kms:us-east-1:123456789012:alias/a", GUID],
    "LogRetentionDays": ["0", "31"],
    "AlarmTopicArn": ["topic", "arn:aws:sqs:us-east-1:123456789012:queue"],
    "AccessLogs": ["true"],
}
ACCEPTED = {
    "APIGatewayStageName": ["v1", "a_b-c"],
    "ImageBuckets": [
        *("", "one-bucket", "one-bucket,two.buckets"),
        ",".join(f"b{number:03d}" for number in range(100)),
    ],
    "LambdaMemorySize": ["1024", "10240"],
    "LambdaMaxConcurrency": ["", "1", "1000"],
    "ThrottlingRateLimit": ["auto", "1", "50", "9999", "10000"],
    "ThrottlingBurstLimit": ["auto", "1", "100", "999", "4999", "5000"],
    "UrlHosts": [
        "",
        "none",
        "cdn.example.com",
        ".example.com,a_b.example",
        "203.0.113.7",
        "2606:4700::1,a.example",
        f"{'a' * 63}.{'b' * 180}",
        f".{'c' * 241}",
    ],
    "UserAgentContact": [
        "",
        "https://example.com/bots?x=1",
        "images+bot@example.com",
        "https://example.com/" + "x" * 180,
    ],
    "WebAclArn": ["", *WEB_ACLS, WEB_ACLS[0].replace("arn:aws:", "arn:aws-cn:")],
    "KmsKeyArn": ["", *LOG_KEYS, "arn:aws:kms:eu-west-1:123456789012:key/mrk-0123456789abcdef"],
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
    with pytest.raises(ResolveError, match=f"above SageMakerMaxInstances, which is {highest}"):
        resolve(template, values)


@pytest.mark.parametrize(
    ("subnets", "groups", "missing"),
    [
        ("subnet-01234567,subnet-89abcdef", "", "SecurityGroupIds, which is empty"),
        ("", "sg-01234567", "SubnetIds, which is empty"),
        ("subnet-01234567,subnet-89abcdef", "sg-01234567", ""),
    ],
)
def test_rules_refuse_subnets_without_security_groups_and_the_reverse(
    template: dict[str, Any], subnets: str, groups: str, missing: str
) -> None:
    values = {"SubnetIds": subnets, "SecurityGroupIds": groups}
    if not missing:
        assert resolve(template, values).parameters["SubnetIds"] == subnets
        return
    with pytest.raises(ResolveError, match=missing):
        resolve(template, values)


@pytest.mark.parametrize(("name", "item"), [("ImageBuckets", "some-bucket"), ("UrlHosts", "host.example")])
def test_what_becomes_an_environment_variable_fits_one(
    template: dict[str, Any], name: str, item: str
) -> None:
    """Longer values fail CreateModel, minutes into an update: API_ContainerDefinition, values of 1,024."""
    longest = ",".join([item] * (1025 // (len(item) + 1)))
    assert resolve(template, {name: longest}).parameters[name] == longest
    with pytest.raises(ResolveError, match=f"{name}=.*at most 1024 characters, and has 1025"):
        resolve(template, {name: "a" * 60 + "," + ",".join(["b" * 9] * 200)[: 1025 - 61]})


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("UrlHosts", "URL_HOSTS"),
        ("UserAgentContact", "USER_AGENT_CONTACT"),
        ("ImageBuckets", "IMAGE_BUCKETS"),
    ],
)
def test_what_is_accepted_does_not_stop_a_container_from_starting(name: str, variable: str) -> None:
    """A value that CloudFormation takes and the container refuses deploys, or fails after minutes."""
    for value in ACCEPTED[name]:
        SourcePolicy.from_environment({variable: value})


def test_optional_numbers_and_lists_are_texts(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        assert (parameter["Type"] == "Number") == isinstance(parameter["Default"], int), name


def test_patterns_hold_the_whole_value_in_cloudformation_too(template: dict[str, Any]) -> None:
    for row in PARAMETERS:
        rule = row.parameter_rule(defaults())
        if isinstance(rule, Pattern):
            declared = template["Parameters"][row.name]
            assert declared["AllowedPattern"].startswith("^(")
            assert declared["AllowedPattern"].endswith(")$")
            assert re.compile(declared["AllowedPattern"]).groups < 5
            assert declared.get("MaxLength") == rule.max_length
