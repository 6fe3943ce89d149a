"""Lambda: functions and the statements of their resource policies."""

import json
from collections.abc import Mapping

from local.gateway.permissions import LAMBDA
from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed, changed, tag_map
from tests.cloudformation.providers.policies import permissions

CODE = {"Code", "Architectures"}
RESERVED = "ReservedConcurrentExecutions"
ENVIRONMENT_BYTES = 4096
RESERVED_VARIABLES = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "_HANDLER",
}
LOOP = "RecursiveLoop"
UNRESERVED = 100  # what stays for functions that reserve none
CREATE_INTERFACE, DELETE_INTERFACE = "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"


class FunctionProvider:
    """AWS::Lambda::Function."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        _check_role(cloud, properties)
        _check_vpc(cloud, properties)
        _check_environment(properties)
        function = properties.get("FunctionName", name)
        given = {key: value for key, value in properties.items() if key not in {RESERVED, LOOP}}
        _reserve(cloud, function, properties, dry=True)
        answer = cloud.call(
            "lambda", "create_function", **{**given, "FunctionName": function, "Tags": tag_map(properties)}
        )
        _reserve(cloud, function, properties)
        _let_loop(cloud, function, properties)
        attach(cloud, function, properties)
        return Physical(function, function, {"Arn": answer["FunctionArn"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        names = changed(before, after)
        if names & CODE:
            code = {**after["Code"], "Architectures": after.get("Architectures", ["x86_64"])}
            cloud.call("lambda", "update_function_code", FunctionName=physical.name, **code)
        if "Role" in names:
            _check_role(cloud, after)
        if RESERVED in names:
            _reserve(cloud, physical.name, after)
        _let_loop(cloud, physical.name, after)
        _check_vpc(cloud, after)
        _check_environment(after)
        if names - CODE:
            settings = {
                key: value
                for key, value in after.items()
                if key not in {*CODE, RESERVED, LOOP, "PackageType", "Tags"}
            }
            settings.setdefault("VpcConfig", {"SubnetIds": [], "SecurityGroupIds": []})
            cloud.call(
                "lambda", "update_function_configuration", **{**settings, "FunctionName": physical.name}
            )
        attach(cloud, physical.name, after)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("lambda", "delete_function", FunctionName=physical.name)
        _let_loop(cloud, physical.name, {})
        attach(cloud, physical.name, {})


def _reserve(cloud: Cloud, function: str, properties: Mapping[str, Json], *, dry: bool = False) -> None:
    """Reserve concurrency, or give it back. Lambda keeps some for functions that reserve none.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html; the words are those of
    https://github.com/aws-samples/one-observability-demo/issues/278
    """
    wanted = int(properties.get(RESERVED, 0))
    others = [
        cloud.call("lambda", "get_function_concurrency", FunctionName=item["FunctionName"])
        for item in cloud.client("lambda").list_functions()["Functions"]
        if item["FunctionName"] != function
    ]
    reserved = wanted + sum(answer.get(RESERVED, 0) for answer in others)
    if wanted and cloud.concurrency - reserved < UNRESERVED:
        raise ProviderFailed(
            f"Specified {RESERVED} for function decreases account's UnreservedConcurrentExecution below its "
            f"minimum value of [{UNRESERVED}]."
        )
    if dry:
        return
    if wanted:
        cloud.call("lambda", "put_function_concurrency", FunctionName=function, **{RESERVED: wanted})
    else:
        cloud.call("lambda", "delete_function_concurrency", FunctionName=function)


def _check_environment(properties: Mapping[str, Json]) -> None:
    """Refuse variables that Lambda sets itself, and more than 4 KB of them, in Lambda's words.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html,
    https://github.com/mattermost/mattermost-cloud-monitoring/pull/264,
    https://github.com/aws-samples/aws-genai-llm-chatbot/issues/583
    """
    variables = properties.get("Environment", {}).get("Variables", {})
    prefix = (
        "Lambda was unable to configure your environment variables because the environment variables you "
    )
    if taken := sorted(RESERVED_VARIABLES & variables.keys()):
        raise ProviderFailed(
            f"{prefix}have provided contains reserved keys that are currently not supported for "
            f"modification. Reserved keys used in this request: {', '.join(taken)}"
        )
    if len(json.dumps(variables, separators=(",", ":")).encode()) > ENVIRONMENT_BYTES:
        raise ProviderFailed(f"{prefix}have provided exceeded the 4KB limit.")


def _let_loop(cloud: Cloud, function: str, properties: Mapping[str, Json]) -> None:
    """PutFunctionRecursionConfig, which moto does not have."""
    if properties.get(LOOP, "Terminate") == "Allow":
        cloud.recursive.add(function)
    else:
        cloud.recursive.discard(function)


def _check_vpc(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    """Refuse a VPC where the role does not let Lambda make network interfaces.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions
    """
    if _subnets(properties) and not permissions(cloud).may(properties["Role"], CREATE_INTERFACE):
        raise ProviderFailed(
            "The provided execution role does not have permissions to call CreateNetworkInterface on EC2"
        )


def attach(cloud: Cloud, function: str, properties: Mapping[str, Json]) -> None:
    """Make a function's network interfaces, or give them up.

    Lambda deletes them by the function's role, and those that it may not delete stay in the account:
    https://github.com/terraform-aws-modules/terraform-aws-lambda/issues/310. It does so some minutes after a
    function has left its VPC, by when a policy that goes in the same update is gone too
    (https://github.com/aws/aws-cdk/issues/34400): time is not modelled here, docs/deploy.md tells it.
    """
    if _subnets(properties):
        cloud.interfaces[function] = properties["Role"]
    elif function in cloud.interfaces and permissions(cloud).may(
        cloud.interfaces[function], DELETE_INTERFACE
    ):
        del cloud.interfaces[function]


def _subnets(properties: Mapping[str, Json]) -> list[str]:
    return list(properties.get("VpcConfig", {}).get("SubnetIds", []))


def _check_role(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    """Refuse a role that Lambda can't assume: CreateFunction and UpdateFunctionConfiguration try it."""
    if "Role" in properties and not permissions(cloud).may_assume(LAMBDA, properties["Role"]):
        raise ProviderFailed("The role defined for the function cannot be assumed by Lambda.")


class PermissionProvider:
    """AWS::Lambda::Permission: every property is create-only."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        cloud.call("lambda", "add_permission", **properties, StatementId=name)
        return Physical(name, name)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Nothing of a permission changes in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call(
            "lambda",
            "remove_permission",
            FunctionName=properties["FunctionName"],
            StatementId=physical.name,
        )
