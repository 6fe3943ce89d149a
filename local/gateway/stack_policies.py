"""Policies of a resolved stack, which no service holds: what a local run judges calls by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local.gateway.permissions import ACCOUNT, ARN
from local.template.identifiers import DerivedIdentifiers
from local.template.policies import Statement, listed
from local.template.resolve import ResolvedResource, ResolvedStack


@dataclass(frozen=True)
class StackPolicies:
    """Reads AWS::IAM::Role, AWS::IAM::Policy, AWS::Lambda::Permission and AWS::SQS::QueuePolicy."""

    stack: ResolvedStack

    def trust(self, role: str) -> Sequence[Statement]:
        """Statements of a role's trust policy; none for a role that is not the stack's."""
        return [
            statement
            for resource in self._named("AWS::IAM::Role", role)
            for statement in listed(resource.properties["AssumeRolePolicyDocument"]["Statement"])
        ]

    def identity(self, role: str) -> Sequence[Statement]:
        """Statements of a role's own policies and of those attached to it."""
        inline = [
            policy["PolicyDocument"]
            for resource in self._named("AWS::IAM::Role", role)
            for policy in resource.properties.get("Policies", [])
        ]
        attached = [
            policy.properties["PolicyDocument"]
            for policy in self.stack.of_type("AWS::IAM::Policy")
            if role.rsplit("/", 1)[-1] in policy.properties["Roles"]
        ]
        return [statement for document in inline + attached for statement in listed(document["Statement"])]

    def function(self, function: str) -> Sequence[Statement]:
        """A function's resource policy: one statement for each permission, as AddPermission writes it."""
        name = function.rsplit(":", 1)[-1]
        return [
            _statement(resource, function)
            for resource in self.stack.of_type("AWS::Lambda::Permission")
            if resource.properties["FunctionName"] in (name, function)
        ]

    def queue(self, queue: str) -> Sequence[Statement]:
        """Statements of the policies of a queue."""
        name = queue.rsplit(":", 1)[-1]
        return [
            statement
            for resource in self.stack.of_type("AWS::SQS::QueuePolicy")
            if name in {url.rsplit("/", 1)[-1] for url in resource.properties["Queues"]}
            for statement in listed(resource.properties["PolicyDocument"]["Statement"])
        ]

    def _named(self, kind: str, arn: str) -> Iterator[ResolvedResource]:
        resources = self.stack.of_type(kind)
        derive = DerivedIdentifiers(self.stack.pseudo, {item.logical_id: kind for item in resources})
        for item in resources:
            if derive.attribute(item.logical_id, "Arn", item.properties) == arn:
                yield item


def _statement(permission: ResolvedResource, function: str) -> Statement:
    given = permission.properties
    condition = {
        operator: {key: given[name]}
        for operator, key, name in (
            ("StringEquals", ACCOUNT, "SourceAccount"),
            ("ArnLike", ARN, "SourceArn"),
        )
        if name in given
    }
    statement: Statement = {
        "Effect": "Allow",
        "Principal": {"Service": given["Principal"]},
        "Action": given["Action"],
        "Resource": function,
        "Condition": condition,
    }
    return statement
