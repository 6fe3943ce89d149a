"""The template as a whole: validators, what it must and must not hold, and a snapshot to read changes in."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from local.template.identifiers import PseudoParameters
from local.template.resolve import resolve
from tests.infrastructure.synthesis import Synthesized, nodes, of_type

Template = Mapping[str, Any]
Synthesize = Callable[..., Synthesized]
# In a bucket, such as the bootstrap's; inline it would be 51,200.
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
TEMPLATE_BYTES = 1_000_000
REGIONS = ("us-east-1", "cn-north-1", "cn-northwest-1")
NAMES = re.compile(r".*(Name|Prefix)$")
GIVEN_NAMES = {  # names that AWS wants, or that hold inside their own resource alone
    "Name": {
        "AWS::ApiGateway::RestApi",  # no identifier: two APIs may share it; it is the stack's name
        "AWS::Events::Rule",  # from the stack's id, as queues must let it send before it exists
    },
    "VectorBucketName": {"AWS::S3Vectors::VectorBucket"},  # from the stack's id
    "IndexName": {"AWS::S3Vectors::Index"},  # from the model's, inside the bucket
    "StageName": {"AWS::ApiGateway::Stage"},
    "PolicyName": {"AWS::IAM::Policy", "AWS::ApplicationAutoScaling::ScalingPolicy"},
    "EndpointName": {"AWS::SageMaker::Endpoint"},  # from the stack's id
    "LogGroupName": {"AWS::Logs::LogGroup"},  # SageMaker's, from the endpoint's
    "EndpointConfigName": {"AWS::SageMaker::Endpoint"},
    "FunctionName": {"AWS::Lambda::Permission", "AWS::Lambda::EventSourceMapping"},
    "MetricName": {"AWS::CloudWatch::Alarm"},
}


def test_cfn_lint_finds_nothing_also_for_china(template_file: Path) -> None:
    cfn_lint = Path(sys.executable).with_name("cfn-lint")
    command = [str(cfn_lint), str(template_file), "--regions", *REGIONS]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_cloudformations_own_validation_finds_nothing_new(template_file: Path) -> None:
    report = json.loads((template_file.parent / "validation-report.json").read_text())
    plugins = {plugin["pluginName"]: plugin["violations"] for plugin in report["pluginReports"]}
    plugins.pop("Construct Annotations", None)  # ours: what is not pinned
    assert not any(plugins.values()), plugins


def test_it_is_no_larger_than_cloudformation_takes(template_file: Path) -> None:
    assert template_file.stat().st_size <= TEMPLATE_BYTES


def test_jsii_left_no_handle_and_nothing_is_null(template: Template, synthesized: Synthesize) -> None:
    for made in (template, synthesized(images="lambda").template, synthesized(images="sagemaker").template):
        assert "$jsii" not in json.dumps(made)
        assert None not in list(nodes(made))


def test_snapshot(template: Template, snapshot: SnapshotAssertion) -> None:
    """To read a change in: `pytest tests/infrastructure --snapshot-update` and look at the difference."""
    text = re.sub(r"[0-9a-f]{64}", "<hash>", json.dumps(template))
    text = re.sub(r'(\\"message\\":)\\".*?(?<!\\)\\"', r'\1\\"<message>\\"', text)  # openapi.yaml's words
    text = re.sub(r"(Deployment[A-Za-z]+?(?:Explorer|Plain|Catalogue))[0-9a-f]{8}", r"\1<hash>", text)
    text = re.sub(r"(vit-b-32-)[0-9a-f]{8}", r"\1<hash>", text)
    assert json.loads(text) == snapshot(extension_class=JSONSnapshotExtension)


def test_nothing_outlives_the_stack(resources: Mapping[str, Any]) -> None:
    for name, resource in resources.items():
        assert resource.get("DeletionPolicy", "Delete") == "Delete", name
        if resource["Type"] != "AWS::WAFv2::WebACLAssociation":  # which WAF itself replaces
            assert resource.get("UpdateReplacePolicy", "Delete") == "Delete", name


def test_every_log_group_expires_and_every_function_has_one(resources: Mapping[str, Any]) -> None:
    groups = of_type(resources, "AWS::Logs::LogGroup")
    assert len(groups) == 6
    for group in groups.values():
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    for function in of_type(resources, "AWS::Lambda::Function").values():
        logging = function["Properties"]["LoggingConfig"]
        assert logging["LogFormat"] == "JSON"
        assert logging["LogGroup"]["Ref"] in groups


def test_no_physical_name_is_fixed(resources: Mapping[str, Any]) -> None:
    for logical_id, resource in resources.items():
        for key, value in resource.get("Properties", {}).items():
            if NAMES.match(key):
                assert resource["Type"] in GIVEN_NAMES.get(key, set()), (logical_id, key, value)
    for key in ("EndpointName", "LogGroupName", "VectorBucketName"):
        for resource in resources.values():
            if key in resource.get("Properties", {}):
                assert "AWS::StackId" in json.dumps(resource["Properties"][key])


def test_two_stacks_in_one_account_share_no_name(template: Template) -> None:
    state = {"ImageSimilarity": "yes-sagemaker"}
    other = PseudoParameters(guid="61af3dc0-da77-11e4-872e-1234567db123", stack_name="Other")
    names = [
        stack.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
        for stack in (resolve(template, state), resolve(template, state, pseudo=other))
    ]
    assert names[0] != names[1]


def test_off_leaves_the_api_and_the_explorer_alone(template: Template) -> None:
    left = resolve(template, {"ImageSimilarity": "no", "APIExplorer": "no"})
    types = sorted(resource.type for resource in left.resources.values())
    assert types == ["AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage"]
    assert left.outputs == {}


def test_outputs_exist_when_they_mean_something(template: Template) -> None:
    expected = {
        ("yes-lambda", "yes"): {"ImageSimilarity", "APIExplorer", "ImageSimilarityInvokeArn"},
        ("yes-sagemaker", "no"): {"ImageSimilarity", "SageMakerEndpointName", "ImageSimilarityInvokeArn"},
        ("no", "yes"): {"APIExplorer"},
    }
    for (backend, explorer), names in expected.items():
        stack = resolve(template, {"ImageSimilarity": backend, "APIExplorer": explorer})
        assert stack.outputs.keys() == names
    outputs = resolve(template, {"APIGatewayStageName": "v1"}).outputs
    assert re.fullmatch(
        r"https://\w+\.execute-api\.us-east-1\.amazonaws\.com/v1/image-similarity", outputs["ImageSimilarity"]
    )
    assert outputs["APIExplorer"].endswith("/v1/api-explorer")
    assert re.fullmatch(
        r"arn:aws:execute-api:us-east-1:\d{12}:\w+/v1/POST/image-similarity",
        outputs["ImageSimilarityInvokeArn"],
    )


def test_the_api_is_regional_and_compresses(resources: Mapping[str, Any]) -> None:
    api = resources["RestApi"]["Properties"]
    assert api["EndpointConfiguration"] == {"Types": ["REGIONAL"]}
    assert api["MinimumCompressionSize"] == 1024


def test_throttling_is_on_and_access_logs_are_a_choice(template: Template) -> None:
    for choice, metrics in (("yes", True), ("no", False)):
        stack = resolve(template, {"AccessLogs": choice})
        stage = stack.one("AWS::ApiGateway::Stage").properties
        (settings,) = stage["MethodSettings"]
        assert (settings["ThrottlingRateLimit"], settings["ThrottlingBurstLimit"]) == (50, 100)
        assert settings["MetricsEnabled"] is metrics
        assert ("AccessLogSetting" in stage) is metrics
        assert ("AccessLogGroup" in stack.resources) is metrics
        if metrics:
            fields = json.loads(stage["AccessLogSetting"]["Format"])
            assert {"requestId", "status", "latency", "path"} <= fields.keys()
            assert not [value for value in fields.values() if "querystring" in value.lower()]
    assert not of_type(template["Resources"], "AWS::ApiGateway::Account")
