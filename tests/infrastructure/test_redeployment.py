"""What keeps every parameter change live on an unchanged template (docs/adr): the rules, checked on it."""

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from cdk_app import rest_api
from local.template.resolve import resolve
from tests.infrastructure.synthesis import Synthesized, functions, nodes, of_type, synthesize
from tests.infrastructure.wanted_catalogue import serves_catalogue

Template = Mapping[str, Any]
AXES = {
    "ImageSimilarity": ["yes-lambda", "yes-sagemaker", "no"],
    "APIGatewayAuthorization": ["AWS_IAM", "NONE"],
    "APIExplorer": ["yes", "no"],
    "Catalogue": ["no", "yes", "paused"],
}
CATALOGUE = {"/catalogue": "get", "/catalogue/search": "post", "/catalogue/sync": "post"}
PERMISSIONS = {"LambdaPermission", "ExplorerPermission", "CataloguePermission"}
PSEUDO = {
    "AWS::NoValue",
    "AWS::Partition",
    "AWS::Region",
    "AWS::AccountId",
    "AWS::StackName",
    "AWS::URLSuffix",
}
BUCKETS = {"ImageBuckets": "aaa"}  # which the catalogue needs
COMBINATIONS = [dict(zip(AXES, values, strict=True)) for values in itertools.product(*AXES.values())]
DEPLOYMENTS = 2 * 2 * 2 * 2 + 2 * 2  # without a feature there is no catalogue either


@pytest.fixture(scope="session")
def body(template: Template) -> dict[str, Any]:
    return template["Resources"]["RestApi"]["Properties"]["Body"]


def conditions_in(tree: object) -> set[str]:
    return {arguments[0] for arguments in functions(tree, "Fn::If")} | set(functions(tree, "Condition"))


def parameters_behind(template: Template, tree: object) -> set[str]:
    """Every parameter that the tree's value depends on, through conditions too; not through resources."""
    found = {name for name in functions(tree, "Ref") if name in template["Parameters"]}
    for text in functions(tree, "Fn::Sub"):
        text = text if isinstance(text, str) else text[0]
        found |= {name for name in template["Parameters"] if f"${{{name}}}" in text}
    for condition in conditions_in(tree):
        found |= parameters_behind(template, template["Conditions"][condition])
    return found


def test_every_parameter_behind_the_body_is_an_axis(template: Template, body: dict[str, Any]) -> None:
    assert parameters_behind(template, body) == AXES.keys()


def test_the_rest_of_the_api_depends_on_no_parameter(template: Template) -> None:
    api = {
        key: value for key, value in template["Resources"]["RestApi"]["Properties"].items() if key != "Body"
    }
    assert parameters_behind(template, api) == set()


def test_the_body_refers_to_nothing_that_a_parameter_replaces(
    template: Template, body: dict[str, Any]
) -> None:
    """A replaced function or role would have a new ARN, which the snapshot would not know."""
    resources = template["Resources"]
    referred = {name for name, _ in functions(body, "Fn::GetAtt")}
    referred |= {name for name in functions(body, "Ref") if name in resources}
    assert referred == {
        *("LambdaFunction", "ExplorerFunction", "SageMakerInvokeRole"),
        "CatalogueAnswerFunction",
    }
    assert {name for name in functions(body, "Ref") if name not in resources} <= PSEUDO
    for name in referred:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resources[name]["Type"]).schema
        fixed = {path.split("/")[2] for path in schema["createOnlyProperties"]}
        for key in fixed & resources[name]["Properties"].keys():
            assert parameters_behind(template, resources[name]["Properties"][key]) == set(), (name, key)


def test_the_body_holds_no_number(body: dict[str, Any]) -> None:
    """CloudFormation may hand numbers to the importer as text; there is none that could suffer."""
    assert not [node for node in nodes(body) if isinstance(node, int | float) and not isinstance(node, bool)]


@pytest.mark.parametrize("values", COMBINATIONS, ids=lambda values: "-".join(values.values()))
def test_each_combination_has_its_one_deployment(template: Template, values: dict[str, str]) -> None:
    stack = resolve(template, {**values, **BUCKETS})
    deployment = stack.one("AWS::ApiGateway::Deployment")
    stage = stack.one("AWS::ApiGateway::Stage")
    assert deployment.logical_id in stage.depends_on
    backend = {"yes-lambda": "Lambda", "yes-sagemaker": "SageMaker", "no": "Off"}[values["ImageSimilarity"]]
    authorization = {"AWS_IAM": "Iam", "NONE": "Open"}[values["APIGatewayAuthorization"]]
    explorer = {"yes": "Explorer", "no": "Plain"}[values["APIExplorer"]]
    catalogue = "Catalogue" if serves_catalogue(values) else ""
    assert deployment.logical_id[:-8] == f"Deployment{backend}{authorization}{explorer}{catalogue}"
    assert set(stack.resources) & PERMISSIONS == deployment.depends_on & PERMISSIONS


@pytest.mark.parametrize("values", COMBINATIONS, ids=lambda values: "-".join(values.values()))
def test_each_combination_serves_its_routes(template: Template, values: dict[str, str]) -> None:
    stack = resolve(template, {**values, **BUCKETS})
    paths = stack.one("AWS::ApiGateway::RestApi").properties["Body"]["paths"]
    expected = {"/"}
    if values["ImageSimilarity"] != "no":
        expected |= {"/image-similarity", "/text_similarity"}
    if values["APIExplorer"] == "yes":
        expected |= {"/api-explorer", "/api-explorer/{asset}"}
    if serves_catalogue(values):
        expected |= CATALOGUE.keys()
    assert paths.keys() == expected
    signed: list[object] = [{"sigv4": []}] if values["APIGatewayAuthorization"] == "AWS_IAM" else []
    kind = {"yes-lambda": "aws_proxy", "yes-sagemaker": "aws"}.get(values["ImageSimilarity"])
    for path, methods in paths.items():
        assert methods["options"]["security"] == []
        assert methods["options"]["x-amazon-apigateway-integration"]["type"] == "mock"
        for method in methods.keys() - {"options"}:
            feature = path in {"/image-similarity", "/text_similarity"}
            always: list[object] = [{"sigv4": []}] if path == "/catalogue/sync" else []
            assert methods[method]["security"] == (always or (signed if feature or path in CATALOGUE else []))
            if path in CATALOGUE:
                assert method == CATALOGUE[path]
            if feature:
                assert methods[method]["x-amazon-apigateway-integration"]["type"] == kind


@pytest.mark.parametrize(
    "name",
    [
        *("LambdaMemorySize", "LambdaMaxConcurrency", "ThrottlingRateLimit", "ThrottlingBurstLimit"),
        *("LogRetentionDays", "KmsKeyArn", "ImageBuckets", "UrlHosts", "UserAgentContact"),
        *("SubnetIds", "SecurityGroupIds", "WebAclArn", "CatalogueConcurrency"),
    ],
)
def test_other_parameters_reach_what_is_live_without_a_deployment(template: Template, name: str) -> None:
    used = {
        key
        for key, resource in template["Resources"].items()
        if name in parameters_behind(template, resource)
    }
    assert used
    assert not used & {*of_type(template["Resources"], "AWS::ApiGateway::Deployment"), "RestApi"}


def test_the_endpoint_is_named_by_instance_type_and_reached_by_stage_variable(template: Template) -> None:
    names = set()
    for size in ("ml.c5.large", "ml.c6i.xlarge"):
        stack = resolve(template, {"ImageSimilarity": "yes-sagemaker", "SageMakerInstanceType": size})
        name = stack.one("AWS::SageMaker::Endpoint").properties["EndpointName"]
        assert name == f"image-similarity-{stack.pseudo.guid.split('-')[0]}-{size.replace('.', '-')}"
        assert len(name) <= 63
        assert stack.one("AWS::ApiGateway::Stage").properties["Variables"] == {"endpoint": name}
        post = stack.one("AWS::ApiGateway::RestApi").properties["Body"]["paths"]["/image-similarity"]["post"]
        uri = post["x-amazon-apigateway-integration"]["uri"]
        assert uri.endswith(":runtime.sagemaker:path//endpoints/${stageVariables.endpoint}/invocations")
        names.add(name)
    assert len(names) == 2


def test_a_changed_body_gets_new_deployments(
    synthesized: Callable[..., Synthesized], template: Template
) -> None:
    """A template upgrade redeploys: the ids carry the body's hash. What is not in the body changes none."""
    before = of_type(template["Resources"], "AWS::ApiGateway::Deployment").keys()
    upgraded = synthesized(model="embedded").template["Resources"]
    after = of_type(upgraded, "AWS::ApiGateway::Deployment").keys()
    assert len(before) == len(after) == DEPLOYMENTS
    assert before.isdisjoint(after)
    same = synthesized(lambda_memory="2048", stage="v3").template["Resources"]
    assert of_type(same, "AWS::ApiGateway::Deployment").keys() == before


def test_whatever_else_a_deployment_freezes_gets_new_ones_too(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Compression too is part of the snapshot: another minimum without new Deployments would stay unseen."""
    before = of_type(template["Resources"], "AWS::ApiGateway::Deployment").keys()
    monkeypatch.setattr(rest_api, "COMPRESS_FROM_BYTES", 4096)
    changed = synthesize(tmp_path / "out", {}).template["Resources"]
    assert changed["RestApi"]["Properties"]["MinimumCompressionSize"] == 4096
    assert of_type(changed, "AWS::ApiGateway::Deployment").keys().isdisjoint(before)


def test_no_property_of_the_api_is_left_out_of_the_fingerprint(template: Template) -> None:
    """A resource policy, say, must go where body and compression are: into what RestApi fingerprints."""
    outside = {"Name", "Description", "EndpointConfiguration", "Tags"}  # no part of a snapshot
    assert template["Resources"]["RestApi"]["Properties"].keys() - outside == {
        "Body",
        "MinimumCompressionSize",
    }
