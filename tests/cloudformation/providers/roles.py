"""IAM: roles with inline policies, and inline policies of their own."""

import json
from collections.abc import Iterable, Mapping

from local.template.intrinsics import Json
from local.template.policies import PolicyError, check, listed
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, changed

UNSUPPORTED = {"ManagedPolicyArns", "PermissionsBoundary"}
INLINE_CHARACTERS = 10_240


class RoleProvider:
    """AWS::IAM::Role with inline policies."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        if UNSUPPORTED & properties.keys():
            raise ProviderFailed(f"{name}: {sorted(UNSUPPORTED & properties.keys())} are not supported here.")
        _check(properties["AssumeRolePolicyDocument"])
        role = properties.get("RoleName", name)
        _check_size(role, _documents(properties).values())
        answer = cloud.call(
            "iam",
            "create_role",
            RoleName=role,
            AssumeRolePolicyDocument=json.dumps(properties["AssumeRolePolicyDocument"]),
            Description=properties.get("Description", ""),
            Tags=properties.get("Tags", []),
        )
        _put_policies(cloud, role, {}, _documents(properties))
        return Physical(role, role, {"Arn": answer["Role"]["Arn"], "RoleId": answer["Role"]["RoleId"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        names = changed(before, after)
        if "AssumeRolePolicyDocument" in names:
            _check(after["AssumeRolePolicyDocument"])
            document = json.dumps(after["AssumeRolePolicyDocument"])
            cloud.call("iam", "update_assume_role_policy", RoleName=physical.name, PolicyDocument=document)
        if "Description" in names:
            cloud.call("iam", "update_role", RoleName=physical.name, Description=after.get("Description", ""))
        _put_policies(cloud, physical.name, _documents(before), _documents(after))

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        _put_policies(cloud, physical.name, _documents(properties), {})
        cloud.call("iam", "delete_role", RoleName=physical.name)


class PolicyProvider:
    """AWS::IAM::Policy on roles."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        for role in properties["Roles"]:
            _put_policies(cloud, role, {}, {properties["PolicyName"]: properties["PolicyDocument"]})
        return Physical(name, name)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        for role in set(before["Roles"]) | set(after["Roles"]):
            old = {before["PolicyName"]: before["PolicyDocument"]} if role in before["Roles"] else {}
            new = {after["PolicyName"]: after["PolicyDocument"]} if role in after["Roles"] else {}
            _put_policies(cloud, role, old, new)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        for role in properties["Roles"]:
            _put_policies(cloud, role, {properties["PolicyName"]: None}, {})


def _check(document: Mapping[str, Json]) -> None:
    """Refuse what can't be judged when the role is used: IAM takes any trust, and the calls fail later."""
    try:
        check(listed(document["Statement"]))
    except PolicyError as error:
        raise ProviderFailed(str(error)) from error


def _documents(properties: Mapping[str, Json]) -> dict[str, Json]:
    return {policy["PolicyName"]: policy["PolicyDocument"] for policy in properties.get("Policies", [])}


def _put_policies(cloud: Cloud, role: str, before: Mapping[str, Json], after: Mapping[str, Json]) -> None:
    """Make a role's inline policies `after`, of those named in `before` or `after`."""
    for name in before.keys() - after.keys():
        cloud.call("iam", "delete_role_policy", RoleName=role, PolicyName=name)
    for name, document in after.items():
        if before.get(name) != document:
            _check_size(role, [*_others(cloud, role, name), document])
            text = json.dumps(document)
            cloud.call("iam", "put_role_policy", RoleName=role, PolicyName=name, PolicyDocument=text)


def _others(cloud: Cloud, role: str, name: str) -> list[Json]:
    """The inline policies of a role but the one of this name."""
    client = cloud.client("iam")
    names = client.list_role_policies(RoleName=role)["PolicyNames"]
    return [
        client.get_role_policy(RoleName=role, PolicyName=other)["PolicyDocument"]
        for other in names
        if other != name
    ]


def _check_size(role: str, documents: Iterable[Json]) -> None:
    """Refuse inline policies that are too long together, in IAM's words.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length;
    the words are those of https://github.com/aws-amplify/amplify-cli/issues/4369
    """
    if sum(map(policy_characters, documents)) > INLINE_CHARACTERS:
        raise ProviderFailed(f"Maximum policy size of {INLINE_CHARACTERS} bytes exceeded for role {role}")


def policy_characters(document: Json) -> int:
    """The size of a policy as IAM counts it: white space is left out."""
    return len("".join(json.dumps(document).split()))
