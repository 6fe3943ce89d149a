"""Every context flag: what it does to the template, and what a wrong one is told."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match

from cdk_app import document
from cdk_app.app import build
from cdk_app.config import ROWS, ConfigError, DeploymentConfig, cdk_context
from cdk_app.parameter_rows import PARAMETERS
from tests.infrastructure.account import LOG_KEYS, WEB_ACLS
from tests.infrastructure.synthesis import Synthesized

Synthesize = Callable[..., Synthesized]
ROOT = Path(__file__).resolve().parents[2]
# flag, value, parameter whose default it sets, that default
SETS_A_DEFAULT = [
    ("backend", "sagemaker", "ImageSimilarity", "yes-sagemaker"),
    ("backend", "none", "ImageSimilarity", "no"),
    ("authorization", "NONE", "APIGatewayAuthorization", "NONE"),
    ("api_explorer", "no", "APIExplorer", "no"),
    ("stage", "v2", "APIGatewayStageName", "v2"),
    ("lambda_memory", "5000", "LambdaMemorySize", 5000),
    ("catalogue", "paused", "Catalogue", "paused"),
    ("catalogue_concurrency", "30", "CatalogueConcurrency", 30),
    ("sagemaker_instance_type", "ml.c7i.xlarge", "SageMakerInstanceType", "ml.c7i.xlarge"),
    ("sagemaker_min", "3", "SageMakerMinInstances", 3),
    ("sagemaker_max", "9", "SageMakerMaxInstances", 9),
    ("image_buckets", "pictures,more-pictures", "ImageBuckets", "pictures,more-pictures"),
    ("rate_limit", "7", "ThrottlingRateLimit", "7"),
    ("burst_limit", "8", "ThrottlingBurstLimit", "8"),
    ("lambda_max_concurrency", "5", "LambdaMaxConcurrency", "5"),
    ("url_hosts", "none", "UrlHosts", "none"),
    ("user_agent_contact", "images@example.com", "UserAgentContact", "images@example.com"),
    ("subnet_ids", "subnet-01234567,subnet-89abcdef", "SubnetIds", "subnet-01234567,subnet-89abcdef"),
    ("security_group_ids", "sg-01234567", "SecurityGroupIds", "sg-01234567"),
    ("web_acl_arn", WEB_ACLS[0], "WebAclArn", WEB_ACLS[0]),
    ("kms_key_arn", LOG_KEYS[0], "KmsKeyArn", LOG_KEYS[0]),
    ("log_retention_days", "90", "LogRetentionDays", "90"),
    (
        "alarm_topic_arn",
        "arn:aws:sns:us-east-1:123456789012:a",
        "AlarmTopicArn",
        "arn:aws:sns:us-east-1:123456789012:a",
    ),
    ("access_logs", "yes", "AccessLogs", "yes"),
]
ALL_CHANGED = {flag: value for flag, value, *_ in SETS_A_DEFAULT if value != "none"}
BAD = [
    ("backend", "lamda", "Did you mean 'lambda'? Allowed: one of lambda, sagemaker, none."),
    ("authorization", "AWS_IAM", "Allowed: one of IAM, NONE."),
    ("api_explorer", "true", "Allowed: one of yes, no."),
    ("stage", "a/b", "Allowed: 1 to 128 letters, digits, '_' and '-'."),
    ("lambda_memory", "512", "Allowed: a whole number, 1024 to 10240."),
    ("catalogue", "pause", "Did you mean 'paused'? Allowed: one of no, yes, paused, absent."),
    ("catalogue_concurrency", "1", "Allowed: a whole number, 2 to 1000."),
    ("sagemaker_instance_type", "ml.g4dn.xlarge", "Allowed: one of auto, ml.c5.large"),
    ("sagemaker_min", "0", "Allowed: a whole number, 1 or more."),
    ("sagemaker_max", "two", "Allowed: a whole number, 1 or more."),
    (
        "image_buckets",
        "My Bucket",
        "Allowed: 1 to 100 S3 bucket names, comma-separated without spaces, or nothing, at most 1024",
    ),
    ("image_buckets", ",".join(["bucket"] * 101), "Allowed: 1 to 100 S3 bucket names"),
    ("rate_limit", "0", "Allowed: auto, or a whole number, 1 to 10000."),
    ("burst_limit", "-1", "Allowed: auto, or a whole number, 1 to 5000."),
    ("lambda_max_concurrency", "0", "Allowed: a whole number, 1 to 99999, or nothing."),
    ("url_hosts", "*.example.com", "Allowed: hosts and .suffixes in lower case"),
    ("user_agent_contact", "ask (me)", "Allowed: a URL (http or https) or an e-mail address, or nothing"),
    ("subnet_ids", "subnet-1", "Allowed: 1 to 16 subnet ids, comma-separated"),
    ("security_group_ids", "sg-01234567, sg-89abcdef", "Allowed: 1 to 5 security group ids"),
    ("web_acl_arn", "my-acl", "Allowed: the ARN of a regional web ACL (WAFv2), or nothing."),
    ("kms_key_arn", "alias/logs", "Allowed: the ARN of a KMS key (not of an alias), or nothing."),
    ("log_retention_days", "31", "Allowed: one of 1, 3, 5, 7, 14, 30"),
    ("alarm_topic_arn", "topic", "Allowed: the ARN of an SNS topic, or nothing."),
    ("access_logs", "on", "Allowed: one of yes, no."),
    ("model", "ViT B 32", "Allowed: the name of an open_clip model with 512 dimensions"),
    ("pretrained", "", "Allowed: an open_clip pretrained tag"),
    ("precision", "fp32", "Allowed: one of fp16, int8."),
    ("architecture", "arm", "Did you mean 'arm64'? Allowed: one of x86_64, arm64."),
    ("accelerator", "cuda", "Allowed: one of cpu, gpu."),
    ("images", "all", "Allowed: one of both, lambda, sagemaker."),
    ("builder", "podman", "Allowed: one of auto, buildkit, other."),
    ("pins", "no", "Allowed: one of optional, required."),
]


def test_cdk_json_has_no_flags() -> None:
    assert not cdk_context().keys() & ROWS.keys()
    assert all(":" in key or "/" in key for key in cdk_context())


def test_every_row_is_tried_here() -> None:
    assert {flag for flag, *_ in SETS_A_DEFAULT} == {row.flag for row in PARAMETERS}
    assert {flag for flag, *_ in BAD} == ROWS.keys()


def test_no_flag_and_no_parameter_has_two_rows() -> None:
    assert len({row.flag for row in ROWS.values()} | {row.name for row in PARAMETERS}) == len(ROWS) + len(
        PARAMETERS
    )


def test_the_documents_tables_are_the_tables() -> None:
    """Otherwise: python -m cdk_app.document."""
    text = document.DOCUMENT.read_text("utf-8")
    assert document.written(text) == text
    for row in ROWS.values():
        assert f"| `{row.flag}` |" in text


@pytest.mark.parametrize(("flag", "value", "parameter", "default"), SETS_A_DEFAULT)
def test_a_flag_sets_the_default(
    synthesized: Synthesize, flag: str, value: str, parameter: str, default: str | int
) -> None:
    flags = ALL_CHANGED if value != "none" else {flag: value}
    assert synthesized(**flags).template["Parameters"][parameter]["Default"] == default


def test_model_flags_are_build_arguments_of_both_images(synthesized: Synthesize) -> None:
    flags = {"model": "ViT-B-16", "pretrained": "laion2b_s34b_b88k", "precision": "int8"}
    made = synthesized(**flags)
    for image in made.images.values():
        arguments = image["dockerBuildArgs"]
        assert arguments["MODEL"] == "ViT-B-16"
        assert arguments["PRETRAINED"] == "laion2b_s34b_b88k"
        assert arguments["PRECISION"] == "int8"
    assert "'ViT-B-16/laion2b_s34b_b88k'" in json.dumps(made.template["Resources"]["RestApi"])
    default = synthesized()
    assert {image["hash"] for image in made.images.values()}.isdisjoint(
        image["hash"] for image in default.images.values()
    )


def test_the_encoder_for_copies_needs_no_second_flag(synthesized: Synthesize) -> None:
    made = synthesized(model="sscd_disc_mixup")
    assert len(made.images) == 2
    for image in made.images.values():
        arguments = image["dockerBuildArgs"]
        assert (arguments["MODEL"], arguments["PRETRAINED"]) == ("sscd_disc_mixup", "meta")
    assert "'sscd_disc_mixup/meta'" in json.dumps(made.template["Resources"]["RestApi"])
    own = DeploymentConfig.from_context({"model": "sscd_disc_mixup", "pretrained": "mine"})
    assert own["pretrained"] == "mine"


def test_embedded_names_the_bundled_model(synthesized: Synthesize) -> None:
    made = synthesized(model="embedded")
    manifest = json.loads((ROOT / "image_similarity" / "models" / "embedded" / "manifest.json").read_text())
    name = f"'{manifest['model']}/{manifest['pretrained']}'"
    assert name in json.dumps(made.template["Resources"]["RestApi"])


@pytest.mark.parametrize(("architecture", "platform"), [("x86_64", "linux/amd64"), ("arm64", "linux/arm64")])
def test_architecture_sets_function_and_image_platform_together(
    synthesized: Synthesize, architecture: str, platform: str
) -> None:
    made = synthesized(architecture=architecture)
    assert made.template["Resources"]["LambdaFunction"]["Properties"]["Architectures"] == [architecture]
    assert {image["platform"] for image in made.images.values()} == {platform}
    graviton = made.template["Parameters"]["SageMakerInstanceType"]["Default"].split(".")[1].endswith("g")
    assert graviton == (architecture == "arm64")


def test_gpu_sets_image_variant_instance_types_and_host(synthesized: Synthesize) -> None:
    made = synthesized(accelerator="gpu", architecture="arm64")
    assert made.images["sagemaker"]["dockerBuildArgs"]["ACCELERATOR"] == "gpu"
    assert made.images["sagemaker"]["platform"] == "linux/amd64"
    types = made.template["Parameters"]["SageMakerInstanceType"]["AllowedValues"]
    assert all(name.startswith("ml.g") for name in types)
    variant, *_ = made.template["Resources"]["SageMakerEndpointConfig"]["Properties"]["ProductionVariants"]
    assert variant["InferenceAmiVersion"].startswith("al2")


@pytest.mark.parametrize(
    ("images", "values"), [("lambda", ["yes-lambda", "no"]), ("sagemaker", ["yes-sagemaker", "no"])]
)
def test_one_image_leaves_the_other_backend_out(
    synthesized: Synthesize, images: str, values: list[str]
) -> None:
    made = synthesized(images=images)
    assert list(made.images) == [images]
    assert made.template["Parameters"]["ImageSimilarity"]["AllowedValues"] == values
    assert made.template["Parameters"]["ImageSimilarity"]["Default"] == values[0]
    absent = "SageMaker" if images == "lambda" else "Lambda"
    assert not [name for name in made.template["Resources"] if name.startswith(absent)]


def test_builder_sets_how_the_sagemaker_image_alone_is_written(synthesized: Synthesize) -> None:
    made, other = synthesized(), synthesized(builder="other")
    assert made.images["sagemaker"]["dockerOutputs"] == ["type=docker,oci-mediatypes=false"]
    assert "dockerOutputs" not in made.images["lambda"] | other.images["sagemaker"] | other.images["lambda"]
    assert made.images["lambda"]["hash"] == other.images["lambda"]["hash"]
    # Another manifest under an old tag would not be pushed: the CDK skips tags that the repository has.
    assert made.images["sagemaker"]["hash"] != other.images["sagemaker"]["hash"]


@pytest.mark.parametrize(("flag", "value", "told"), BAD)
def test_a_wrong_value_is_told_what_is_allowed(flag: str, value: str, told: str) -> None:
    with pytest.raises(ConfigError) as refused:
        DeploymentConfig.from_context({flag: value})
    assert str(refused.value).startswith(f"Context key '{flag}' has the value '{value}'.")
    assert told in str(refused.value)


def test_a_wrong_key_is_told_which_there_are() -> None:
    with pytest.raises(
        ConfigError, match=r"'bakend' is unknown\. Did you mean 'backend'\? Keys: backend, auth"
    ):
        DeploymentConfig.from_context({"bakend": "lambda"})


@pytest.mark.parametrize(
    ("key", "flag"),
    [
        ("LogRetentionDays", "log_retention_days"),
        ("api-explorer", "api_explorer"),
        ("apiExplorer", "api_explorer"),
        ("Model", "model"),
        ("ThrottlingRateLimits", "rate_limit"),
        ("image_bucket", "image_buckets"),
    ],
)
def test_a_key_near_a_flag_is_refused_with_it(key: str, flag: str) -> None:
    with pytest.raises(ConfigError, match=rf"Context key '{key}' is unknown\. Did you mean '{flag}'\?"):
        DeploymentConfig.from_context({key: "x"})


@pytest.mark.parametrize(
    "key",
    [
        "acknowledged-issue-numbers",
        "cli-telemetry",
        "availability-zones:account=123456789012:region=us-east-1",
        "aws:cdk:enable-path-metadata",
        "@aws-cdk/core:newStyleStackSynthesis",
        "hosted-zone:account=1:domainName=example.com:region=us-east-1",
    ],
)
def test_the_cdks_own_keys_pass(key: str) -> None:
    assert DeploymentConfig.from_context({key: [34892]}) == DeploymentConfig()


def test_other_keys_are_ignored_and_said_so(tmp_path: Path) -> None:
    app = build(outdir=str(tmp_path), context={"team": {"name": "vision"}, "tags": ["a"]})
    stack = app.node.find_child("ImageSimilarity")
    assert isinstance(stack, Stack)
    warnings = Annotations.from_stack(stack).find_warning(
        "*", Match.string_like_regexp("is no flag of this app: it is ignored")
    )
    assert sorted(str(message.entry.data).split("'")[1] for message in warnings) == ["tags", "team"]


def test_subnets_and_security_groups_go_together() -> None:
    with pytest.raises(ConfigError, match="go together: 'security_group_ids' is missing"):
        DeploymentConfig.from_context({"subnet_ids": "subnet-01234567"})
    with pytest.raises(ConfigError, match="go together: 'subnet_ids' is missing"):
        DeploymentConfig.from_context({"security_group_ids": "sg-01234567"})


@pytest.mark.parametrize("catalogue", ["yes", "paused"])
def test_a_catalogue_goes_with_buckets_and_the_lambda_image(catalogue: str) -> None:
    with pytest.raises(ConfigError, match=f"catalogue is {catalogue}: 'image_buckets' must list its buckets"):
        DeploymentConfig.from_context({"catalogue": catalogue})
    flags = {"catalogue": catalogue, "image_buckets": "photos"}
    with pytest.raises(ConfigError, match="its functions run the Lambda image, and images is sagemaker"):
        DeploymentConfig.from_context({**flags, "images": "sagemaker"})
    assert DeploymentConfig.from_context({**flags, "images": "lambda"}).has_catalogue


def test_an_instance_type_of_an_unknown_architecture_is_told_the_architecture() -> None:
    with pytest.raises(ConfigError, match="'architecture' has the value 'arm'"):
        DeploymentConfig.from_context({"sagemaker_instance_type": "ml.c7g.large", "architecture": "arm"})


def test_a_minimum_over_the_maximum_is_refused() -> None:
    with pytest.raises(ConfigError, match="the minimum can't be above the maximum"):
        DeploymentConfig.from_context({"sagemaker_min": "3", "sagemaker_max": "2"})


def test_the_embedded_model_has_one_precision() -> None:
    with pytest.raises(ConfigError, match="fp16 alone"):
        DeploymentConfig.from_context({"model": "embedded", "precision": "int8"})


@pytest.mark.parametrize("value", [True, None, ["a"], {}])
def test_a_value_that_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="give a string or number"):
        DeploymentConfig.from_context({"stage": value})


def test_the_app_stops_with_the_sentence_alone(tmp_path: Path) -> None:
    context = json.dumps({**cdk_context(), "backend": "fargate"})
    environment = {**os.environ, "CDK_CONTEXT_JSON": context, "CDK_OUTDIR": str(tmp_path / "out")}
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    told = "Context key 'backend' has the value 'fargate'. Allowed: one of lambda, sagemaker, none."
    assert done.stderr.strip() == told
    assert not (tmp_path / "out").exists()
