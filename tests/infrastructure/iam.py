"""The stack's permissions as rows, read from the template and from the table in docs/iam.md."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.template.policies import listed
from local.template.resolve import ResolvedStack, resolve
from tests.cloudformation.providers.roles import policy_characters

Row = tuple[str, str, str, str]
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "iam.md"
EVERYTHING = {
    "ImageBuckets": "bucket-1,bucket-2",
    "SubnetIds": "subnet-01234567,subnet-89abcdef",
    "SecurityGroupIds": "sg-01234567",
    "KmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/473e64fd-f30b-4765-81a0-62ad96dd167a",
    "Catalogue": "yes",
}
MOST_BUCKETS = ",".join(f"bucket{number:03d}{'x' * (number < 25)}" for number in range(100))
"""As many names as ImageBuckets takes, as long as it takes them."""
STATES = tuple(
    {"ImageSimilarity": backend, **EVERYTHING} for backend in ("yes-lambda", "yes-sagemaker", "no")
)


def template_rows(template: Mapping[str, Any]) -> set[Row]:
    """Who, actions, resources and condition of every statement, in whatever state it exists."""
    return {row for state in STATES for row in _rows(resolve(template, state))}


def document_rows() -> set[Row]:
    """The same four columns of the document's tables."""
    lines = [line for line in DOCUMENT.read_text("utf-8").splitlines() if line.startswith("| `")]
    return {_row(line) for line in lines}


def inline_characters(stack: ResolvedStack) -> dict[str, int]:
    """By role, the characters of all its inline policies, as IAM counts them."""
    sizes: Counter[str] = Counter()
    for role in stack.of_type("AWS::IAM::Role"):
        for inline in role.properties["Policies"]:
            sizes[f"{stack.pseudo.stack_name}-{role.logical_id}"] += policy_characters(
                inline["PolicyDocument"]
            )
    for policy in stack.of_type("AWS::IAM::Policy"):
        for name in policy.properties["Roles"]:
            sizes[name] += policy_characters(policy.properties["PolicyDocument"])
    return dict(sizes)


def _row(line: str) -> Row:
    who, actions, resources, condition, _ = (cell.strip() for cell in line.strip("|").split("|"))
    return (_bare(who), _bare(actions), _bare(resources), _bare(condition))


def _bare(cell: str) -> str:
    return cell.replace("`", "")


def _rows(stack: ResolvedStack) -> Iterator[Row]:
    for role in stack.of_type("AWS::IAM::Role"):
        for statement in role.properties["AssumeRolePolicyDocument"]["Statement"]:
            principal = statement["Principal"]["Service"]
            yield _readable(
                stack, principal, statement["Action"], role.logical_id, statement.get("Condition")
            )
        for policy in role.properties["Policies"]:
            for statement in policy["PolicyDocument"]["Statement"]:
                yield _statement(stack, role.logical_id, statement)
    for policy in stack.of_type("AWS::IAM::Policy"):
        (name,) = policy.properties["Roles"]
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            yield _statement(stack, name.removeprefix("ImageSimilarity-"), statement)
    for permission in stack.of_type("AWS::Lambda::Permission"):
        given = permission.properties
        keys = {"aws:SourceAccount": "SourceAccount", "aws:SourceArn": "SourceArn"}
        condition = {key: given[name] for key, name in keys.items() if name in given}
        name = given["FunctionName"].removeprefix("ImageSimilarity-")
        yield _readable(stack, given["Principal"], given["Action"], name, condition)
    for policy in stack.of_type("AWS::SQS::QueuePolicy"):
        for statement in policy.properties["PolicyDocument"]["Statement"]:
            principal = statement["Principal"]
            who = principal if principal == "*" else principal["Service"]
            on = statement["Resource"].rsplit(":", 1)[-1]
            yield _statement(stack, who, {**statement, "Resource": on})


def _statement(stack: ResolvedStack, who: str, statement: Mapping[str, Any]) -> Row:
    assert not statement.keys() & {"NotAction", "NotResource"}
    actions = {"Allow": "", "Deny": "Deny "}[statement["Effect"]] + ", ".join(listed(statement["Action"]))
    return _readable(stack, who, actions, statement["Resource"], statement.get("Condition"))


def _readable(stack: ResolvedStack, who: str, actions: Any, resources: Any, condition: Any) -> Row:
    names = {
        EVERYTHING["KmsKeyArn"]: "<key>",
        stack.pseudo.account: "<account>",
        stack.pseudo.region: "<region>",
        stack.pseudo.guid.split("-")[0]: "<stack>",
        stack.one("AWS::ApiGateway::RestApi").logical_id: "<api>",
        "ImageSimilarity-": "",
        "bucket-1": "<bucket>",
    }
    for index in stack.of_type("AWS::S3Vectors::Index"):
        names[index.properties["IndexName"]] = "<index>"

    def text(value: Any) -> str:
        listed = value if isinstance(value, list) else [value]
        joined = ", ".join(item for item in listed if "bucket-2" not in item)
        for concrete, placeholder in names.items():
            joined = joined.replace(concrete, placeholder)
        return re.sub(r"execute-api:(<region>:<account>):[0-9a-f]{10}", r"execute-api:\1:<api>", joined)

    told = [f"{key} = {text(value)}" for key, value in _flat(condition or {})]
    return (who, text(actions), text(resources), ", ".join(told) or "-")


def _flat(condition: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in condition.items():
        if isinstance(value, Mapping):
            assert key in ("StringEquals", "StringLike", "ArnEquals", "ArnLike", "Bool"), json.dumps(
                condition
            )
            yield from value.items()
        else:
            yield key, value
