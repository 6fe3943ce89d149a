"""The resolver against a small template: values, conditions, and sentences for refusals."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.gateway.openapi import live_stage, snapshot_of
from local.template.identifiers import PseudoParameters
from local.template.intrinsics import ResolveError, evaluate
from local.template.parameters import parse_assignments
from local.template.resolve import Resolver, resolve

TEMPLATE: dict[str, Any] = yaml.safe_load((Path(__file__).parents[1] / "template.yaml").read_text())


def changed(path: str, value: object) -> dict[str, Any]:
    """The template with one value replaced."""
    template = copy.deepcopy(TEMPLATE)
    *parents, last = path.split("/")
    node: Any = template
    for key in parents:
        node = node[key]
    node[last] = value
    return template


def test_defaults_are_filled_in() -> None:
    stack = resolve(TEMPLATE, {})
    assert stack.parameters["LambdaMemorySize"] == "3008"
    assert stack.conditions == {
        "IsLambda": True,
        "IsOff": False,
        "IsIam": True,
        "HasBuckets": False,
        "LambdaIam": True,
        "LambdaOpen": False,
        "NotLambda": False,
    }


def test_only_resources_whose_condition_holds_exist() -> None:
    assert set(resolve(TEMPLATE, {}).resources) == {"Role", "Function", "Api", "DeployLambdaIam", "Stage"}
    assert set(resolve(TEMPLATE, {"ImageSimilarity": "no"}).resources) == {"Api", "DeployOther", "Stage"}


def test_references_agree_with_each_other() -> None:
    stack = resolve(TEMPLATE, {})
    function = stack.resources["Function"]
    assert function.properties["Role"] == "arn:aws:iam::123456789012:role/ImageSimilarity-Role"
    integration = live_stage(stack).snapshot.route("POST", "/image-similarity")
    assert integration is not None
    assert "function:ImageSimilarity-Function/invocations" in integration[0].integration.uri


def test_deployments_have_ids_of_their_own_and_the_stage_has_the_live_one() -> None:
    ids = {
        resolve(TEMPLATE, values).one("AWS::ApiGateway::Stage").properties["DeploymentId"]
        for values in ({}, {"APIGatewayAuthorization": "NONE"}, {"ImageSimilarity": "no"})
    }
    assert len(ids) == 3


def test_dependencies_are_the_evaluated_ones() -> None:
    stack = resolve(TEMPLATE, {})
    assert stack.resources["Stage"].depends_on == {"Api", "DeployLambdaIam"}
    assert stack.resources["DeployLambdaIam"].depends_on == {"Api", "Function"}
    assert resolve(TEMPLATE, {"ImageSimilarity": "no"}).resources["Stage"].depends_on == {
        "Api",
        "DeployOther",
    }


def test_no_value_removes_properties_and_items() -> None:
    stack = resolve(TEMPLATE, {"ImageSimilarity": "no"})
    assert list(stack.resources["Api"].properties["Body"]["paths"]) == ["/"]
    assert resolve(TEMPLATE, {}).resources["Role"].properties["Policies"] == []


def test_lists_become_arns_and_text() -> None:
    stack = resolve(TEMPLATE, {"ImageBuckets": "one,two"})
    [policy] = stack.resources["Role"].properties["Policies"]
    assert policy["PolicyDocument"]["Statement"][0]["Resource"] == [
        "arn:aws:s3:::one/*",
        "arn:aws:s3:::two/*",
    ]
    assert stack.resources["Function"].properties["Environment"]["Variables"] == {
        "BUCKETS": "one,two",
    }


def test_condition_keys_of_policies_are_no_intrinsics() -> None:
    statement = resolve(TEMPLATE, {}).resources["Role"].properties["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement == {"Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}}}


def test_pseudo_parameters_of_china() -> None:
    stack = resolve(TEMPLATE, {}, pseudo=PseudoParameters(region="cn-northwest-1"))
    assert stack.outputs["ImageSimilarity"].endswith(
        ".execute-api.cn-northwest-1.amazonaws.com.cn/prod/image-similarity"
    )
    assert stack.resources["Stage"].properties["Variables"] == {"endpoint": "name-51af3dc0"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ImageSimilarity": "maybe"}, "ImageSimilarity=maybe: allowed are yes-lambda, yes-sagemaker, no."),
        ({"Image": "x"}, "Image is not a parameter; the parameters are APIGatewayAuthorization, "),
        ({"LambdaMemorySize": "128"}, "LambdaMemorySize=128: must be a number from 1024 to 10240."),
        ({"LambdaMemorySize": "big"}, "LambdaMemorySize=big: must be a number."),
        ({"LambdaMemorySize": "1026"}, "LambdaMemorySize may not be 1025 or 1026."),
        ({"APIGatewayStageName": "a/b"}, "APIGatewayStageName=a/b: must be a stage name."),
    ],
)
def test_refused_values_say_what_is_allowed(given: dict[str, str], message: str) -> None:
    with pytest.raises(ResolveError) as caught:
        resolve(TEMPLATE, given)
    assert message in str(caught.value)


def test_all_refused_values_are_told_at_once() -> None:
    with pytest.raises(ResolveError) as caught:
        resolve(TEMPLATE, {"ImageSimilarity": "maybe", "Image": "x"})
    assert len(str(caught.value).splitlines()) == 2


def test_a_parameter_without_default_needs_a_value() -> None:
    template = changed("Parameters/LambdaMemorySize", {"Type": "Number", "Description": "MB of memory"})
    with pytest.raises(ResolveError, match="LambdaMemorySize needs a value: MB of memory"):
        resolve(template, {})


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            "Resources/Stage/Properties/DeploymentId",
            {"Ref": "DeployOther"},
            "DeployOther is referred to while",
        ),
        ("Resources/Stage/Properties/DeploymentId", {"Ref": "Nothing"}, "no parameter or resource Nothing"),
        ("Resources/Api/Properties/Name", {"Fn::ImportValue": "x"}, "Fn::ImportValue is not supported"),
        ("Resources/Api/Properties/Name", {"Fn::If": ["Missing", 1, 2]}, "no condition Missing"),
        ("Resources/Api/Properties/Name", {"Fn::Join": [{"Ref": "AWS::Region"}, ["a"]]}, "literal delimiter"),
        ("Resources/Api/Properties/Name", {"Fn::Select": [2, ["a", "b"]]}, "cannot select item 2 of 2"),
        ("Resources/Api/Properties/Name", {"Fn::GetAtt": ["Function", "Colour"]}, "no attribute Colour"),
        ("Resources/Api/Properties/Name", {"Fn::FindInMap": ["a", "b", "c"]}, "Fn::FindInMap is not sup"),
        ("Resources/Api/Type", "AWS::SNS::Topic", r"Api \(AWS::SNS::Topic\) has no Ref"),
        (
            "Parameters/ImageBuckets",
            {"Type": "CommaDelimitedList", "Default": ""},
            "ImageBuckets has properties that are not modelled",
        ),
        (
            "Parameters/ImageBuckets",
            {"Type": "String", "MinLength": 5},
            "ImageBuckets has properties that are not modelled",
        ),
        (
            "Resources/Api/Properties/Name",
            {"Fn::Sub": ["${A}", {"A": {"Fn::Split": [",", "a,b"]}}]},
            "A string is needed",
        ),
    ],
)
def test_mistakes_in_the_template_are_sentences(path: str, value: object, message: str) -> None:
    with pytest.raises(ResolveError, match=message):
        resolve(changed(path, value), {})


def test_literals_in_sub() -> None:
    resolver = Resolver(TEMPLATE, {})
    assert evaluate({"Fn::Sub": "${!Kept} ${AWS::Region}"}, resolver) == "${Kept} us-east-1"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("A=b C='d e'  D=", {"A": "b", "C": "d e", "D": ""}),
        ("ImageBuckets=one,two X=a=b", {"ImageBuckets": "one,two", "X": "a=b"}),
    ],
)
def test_assignments_are_read(text: str, values: dict[str, str]) -> None:
    assert parse_assignments(text) == values


@pytest.mark.parametrize("text", ["A", "=b", "A=b A=c", "A='b"])
def test_assignments_that_cannot_be_read_are_named(text: str) -> None:
    with pytest.raises(ResolveError):
        parse_assignments(text)


def test_just_one_deployment_may_be_live() -> None:
    template = changed("Resources/DeployOther", {"Type": "AWS::ApiGateway::Deployment", "Properties": {}})
    with pytest.raises(ResolveError, match="2 resources of type AWS::ApiGateway::Deployment"):
        live_stage(resolve(template, {}))


def body_with(operation: dict[str, Any]) -> dict[str, Any]:
    return {"Body": {"paths": {"/x": {"get": operation}}}}


MOCK: dict[str, Any] = {"type": "mock", "responses": {"default": {"statusCode": "200"}}}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"responses": {}}, "GET /x: no integration"),
        ({"responses": {}, "x-amazon-apigateway-integration": MOCK}, "status 200 is mapped"),
        (
            {
                "responses": {"200": {}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "responses": {
                        "default": {
                            "statusCode": "200",
                            "responseParameters": {"method.response.header.A": "'b'"},
                        }
                    },
                },
            },
            "header A of 200 is mapped",
        ),
        (
            {
                "x-amazon-apigateway-integration": {
                    "type": "aws",
                    "requestParameters": {
                        "integration.request.header.Content-Type": "method.request.header.Content-Type"
                    },
                },
            },
            "method.request.header.Content-Type is mapped",
        ),
        (
            {"security": [{"key": []}], "x-amazon-apigateway-integration": {"type": "mock"}},
            "security scheme key is not awsSigv4",
        ),
        (
            {
                "x-amazon-apigateway-auth": {"type": "NONE"},
                "x-amazon-apigateway-integration": {"type": "mock"},
            },
            "GET /x: x-amazon-apigateway-auth is not known here",
        ),
        (
            {"x-amazon-apigateway-integration": {"type": "mock", "passthroughBehavior": "never"}},
            "GET /x: passthroughBehavior of an integration is not known here",
        ),
        (
            {"x-amazon-apigateway-integration": {"type": "http"}},
            "GET /x: integration type http is not known here",
        ),
    ],
)
def test_bodies_that_api_gateway_would_refuse_are_refused(operation: dict[str, Any], message: str) -> None:
    with pytest.raises(ResolveError, match=message):
        snapshot_of(body_with(operation))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"x-amazon-apigateway-binary-media-types": ["*/*"]}, "document: x-amazon-apigateway-binary-media"),
        ({"paths": {"/x": {"x-amazon-apigateway-any-method": {}}}}, "/x: x-amazon-apigateway-any-method"),
        (
            {
                "paths": {"/x": {"get": {"responses": {"200": {}}, "x-amazon-apigateway-integration": MOCK}}},
                "x-amazon-apigateway-gateway-responses": {
                    "DEFAULT_4XX": {"responseParameters": {"gatewayresponse.header.A": "context.stage"}}
                },
            },
            "DEFAULT_4XX: context.stage",
        ),
    ],
)
def test_what_is_not_read_here_is_refused(body: dict[str, Any], message: str) -> None:
    with pytest.raises(ResolveError, match=message):
        snapshot_of({"Body": body})


def test_an_api_without_methods_cannot_be_deployed() -> None:
    with pytest.raises(ResolveError, match="doesn't contain any methods"):
        snapshot_of({"Body": {"paths": {}}})


def test_a_value_that_is_too_long_is_refused_with_both_lengths() -> None:
    template = {
        "Parameters": {"Name": {"Type": "String", "MaxLength": 5, "Default": ""}},
        "Resources": {},
    }
    assert resolve(template, {"Name": "a" * 5}).parameters["Name"] == "aaaaa"
    with pytest.raises(ResolveError, match="Name=aaaaaa: must have at most 5 characters, and has 6"):
        resolve(template, {"Name": "a" * 6})
