"""Policies as the account's services hold them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from local.gateway.permissions import Permissions
from local.template.identifiers import PseudoParameters
from local.template.policies import Statement, listed
from tests.cloudformation.providers.base import Cloud


@dataclass(frozen=True)
class CloudPolicies:
    """Reads trust and inline policies from IAM, resource policies from Lambda and SQS."""

    cloud: Cloud

    def trust(self, role: str) -> Sequence[Statement]:
        """Statements of a role's trust policy; none for a role that does not exist."""
        client = self.cloud.client("iam")
        try:
            answer = client.get_role(RoleName=_name(role))
        except client.exceptions.NoSuchEntityException:
            return []
        return listed(answer["Role"]["AssumeRolePolicyDocument"]["Statement"])

    def identity(self, role: str) -> Sequence[Statement]:
        """Statements of a role's inline policies; none for a role that does not exist."""
        client, name = self.cloud.client("iam"), _name(role)
        try:
            names = client.list_role_policies(RoleName=name)["PolicyNames"]
        except client.exceptions.NoSuchEntityException:
            return []
        documents = [
            client.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in names
        ]
        return [statement for document in documents for statement in listed(document["Statement"])]

    def function(self, function: str) -> Sequence[Statement]:
        """Statements of a function's resource policy; none where it has no policy."""
        client = self.cloud.client("lambda")
        try:
            policy = client.get_policy(FunctionName=function)["Policy"]
        except client.exceptions.ResourceNotFoundException:
            return []
        return listed(json.loads(policy)["Statement"])

    def queue(self, queue: str) -> Sequence[Statement]:
        """Statements of a queue's policy; none where it has no policy."""
        client, name = self.cloud.client("sqs"), _name(queue.replace(":", "/"))
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        text = answer.get("Attributes", {}).get("Policy")
        return listed(json.loads(text)["Statement"]) if text else []


def permissions(cloud: Cloud) -> Permissions:
    """What services may do in the account."""
    return Permissions(CloudPolicies(cloud), PseudoParameters(region=cloud.region))


def _name(role: str) -> str:
    return role.rsplit("/", 1)[-1]
