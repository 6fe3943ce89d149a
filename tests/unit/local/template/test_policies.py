"""IAM's rules on single statements: operators, missing keys, principals, denials."""

import pytest

from local.template.policies import Call, PolicyError, Statement, allows

ACCOUNT = "aws:SourceAccount"
ARN = "arn:aws:execute-api:us-east-1:123456789012:abc/prod/POST/image-similarity"
SERVICE = "apigateway.amazonaws.com"


def trust(**condition: object) -> Statement:
    statement = {"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"}
    return statement | ({"Condition": condition} if condition else {})


def assumed(*statements: Statement, service: str = SERVICE, **context: str) -> bool:
    keys = {name.replace("_", ":"): value for name, value in context.items()}
    return allows(statements, Call("sts:AssumeRole", "arn:aws:iam::123456789012:role/r", service, keys))


@pytest.mark.parametrize(
    ("operator", "value", "sent", "missing"),
    [
        ("StringEquals", "1", True, False),
        ("StringEquals", "2", False, False),
        ("StringEquals", ["2", "1"], True, False),
        ("StringEquals", [], False, False),
        ("StringEqualsIfExists", "1", True, True),
        ("StringEqualsIfExists", "2", False, True),
        ("StringNotEquals", "1", False, True),
        ("StringNotEquals", "2", True, True),
        ("StringNotEquals", ["1", "2"], False, True),
        ("StringNotEqualsIfExists", "1", False, True),
        ("StringEqualsIgnoreCase", "1", True, False),
        ("StringLike", "*", True, False),
        ("StringLike", "?", True, False),
        ("StringLike", "??", False, False),
        ("StringLikeIfExists", "2*", False, True),
        ("StringNotLike", "1*", False, True),
        ("Null", "true", False, True),
        ("Null", "false", True, False),
    ],
)
def test_a_condition_with_the_key_and_without(
    operator: str, value: str | list[str], *, sent: bool, missing: bool
) -> None:
    statement = trust(**{operator: {ACCOUNT: value}})
    assert assumed(statement, aws_SourceAccount="1") is sent
    assert assumed(statement) is missing


@pytest.mark.parametrize("operator", ["ArnLike", "ArnEquals"])
@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (ARN, True),
        ("arn:aws:execute-api:us-east-1:123456789012:abc/*/POST/*", True),
        ("arn:*:execute-api:*:123456789012:abc/*", True),
        ("arn:aws:execute-api:us-east-1:123456789012:abd/*", False),
        ("arn:aws:execute-api:*:abc/prod/POST/image-similarity", False),  # * passes no colon
    ],
)
def test_arns_are_compared_by_component(operator: str, pattern: str, *, matches: bool) -> None:
    statement = trust(**{operator: {"aws:SourceArn": pattern}})
    assert assumed(statement, aws_SourceArn=ARN) is matches
    assert not assumed(statement)
    assert assumed(trust(**{f"{operator}IfExists": {"aws:SourceArn": pattern}}))
    negated = trust(**{operator.replace("Arn", "ArnNot"): {"aws:SourceArn": pattern}})
    assert assumed(negated, aws_SourceArn=ARN) is not matches


def test_all_operators_and_all_keys_must_hold_and_names_of_keys_have_no_case() -> None:
    both = trust(
        StringEquals={"AWS:sourceaccount": "1", "aws:SourceArn": ARN}, ArnLike={"aws:SourceArn": ARN}
    )
    assert assumed(both, aws_SourceAccount="1", aws_SourceArn=ARN)
    assert not assumed(both, aws_SourceAccount="1")


def test_one_statement_is_enough_and_a_denial_wins() -> None:
    never = trust(StringEquals={ACCOUNT: "1"})
    assert assumed(never, trust())
    assert not assumed(trust(), {**trust(), "Effect": "Deny"})
    assert assumed(trust(), {**never, "Effect": "Deny"})
    assert not assumed()


def test_principals_actions_and_resources() -> None:
    assert not assumed(trust(), service="lambda.amazonaws.com")
    both = {**trust(), "Principal": {"Service": ["lambda.amazonaws.com", SERVICE]}}
    assert assumed(both)
    assert assumed(both, service="lambda.amazonaws.com")
    assert assumed({**trust(), "Principal": "*"})
    assert assumed({**trust(), "Action": ["sts:TagSession", "STS:Assume*"]})
    assert not assumed({**trust(), "Action": "sts:TagSession"})
    own = {"Effect": "Allow", "Action": ["sagemaker:InvokeEndpoint"], "Resource": ["arn:x:endpoint/a-*"]}
    assert allows([own], Call("sagemaker:InvokeEndpoint", "arn:x:endpoint/a-1"))
    assert not allows([own], Call("sagemaker:InvokeEndpoint", "arn:x:endpoint/b-1"))
    assert not assumed({**own, "Action": "sts:AssumeRole", "Resource": "*"}), "a service needs a principal"


@pytest.mark.parametrize("operator", ["NumericEquals", "ForAllValues:StringLike", "IpAddress"])
def test_an_operator_that_is_not_modelled_is_told(operator: str) -> None:
    with pytest.raises(PolicyError, match=operator):
        assumed(trust(**{operator: {ACCOUNT: "1"}}), service="lambda.amazonaws.com")


@pytest.mark.parametrize("element", ["NotPrincipal", "NotAction", "NotResource"])
def test_an_element_that_is_not_modelled_is_told(element: str) -> None:
    with pytest.raises(PolicyError, match=element):
        assumed({**trust(), element: "x"})
