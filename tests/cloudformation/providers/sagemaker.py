"""SageMaker hosting: models, endpoint configurations, endpoints."""

from collections.abc import Mapping

from local.gateway.permissions import SAGEMAKER
from local.template.images import DOCKER
from local.template.intrinsics import Json
from local.template.policies import Call, allows
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed
from tests.cloudformation.providers.gaps import update_endpoint
from tests.cloudformation.providers.policies import permissions

INTERFACE_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
)


class ModelProvider:
    """AWS::SageMaker::Model: every property is create-only."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        role = properties["ExecutionRoleArn"]
        if not permissions(cloud).may_assume(SAGEMAKER, role):
            raise ProviderFailed(
                f"Could not assume role {role}. Please ensure that the role exists and allows principal "
                f"'{SAGEMAKER}' to assume the role."
            )
        _check_vpc(cloud, properties)
        for container in [properties.get("PrimaryContainer"), *properties.get("Containers", [])]:
            if container is not None:
                _check_pull(cloud, role, container["Image"])
                _check_image(cloud, container["Image"])
        model = properties.get("ModelName", name)
        answer = cloud.call("sagemaker", "create_model", **{**properties, "ModelName": model})
        return Physical(answer["ModelArn"], model, {"ModelName": model, "ModelArn": answer["ModelArn"]})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Only tags change in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("sagemaker", "delete_model", ModelName=physical.name)


def _check_vpc(cloud: Cloud, properties: Mapping[str, Json]) -> None:
    """Refuse a VPC with one subnet, or where the role does not let SageMaker make network interfaces.

    https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html,
    https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html#sagemaker-roles-createmodel-perms
    """
    vpc = properties.get("VpcConfig")
    if vpc is None:
        return
    if len(set(vpc["Subnets"])) < 2:
        raise ProviderFailed("At least two subnets in different availability zones are needed.")
    for action in INTERFACE_ACTIONS:
        if not permissions(cloud).may(properties["ExecutionRoleArn"], action):
            raise ProviderFailed(f"Access denied for {action}: {properties['ExecutionRoleArn']}")


def _check_pull(cloud: Cloud, role: str, uri: str) -> None:
    """Refuse an image of another region, or one that the role may not pull, in SageMaker's words.

    https://github.com/ed-donner/alex/issues/30,
    https://github.com/aws-samples/generative-ai-sagemaker-cdk-demo/issues/2
    """
    if f".dkr.ecr.{cloud.region}." not in uri:
        raise ProviderFailed(
            f'Region of "{uri}" does not match expected region of {cloud.region}. Cross region ECR image '
            "pulls are not allowed."
        )
    registry, _, rest = uri.partition("/")
    account, repository = registry.partition(".")[0], rest.partition(":")[0]
    partition = "aws-cn" if cloud.region.startswith("cn-") else "aws"
    arn = f"arn:{partition}:ecr:{cloud.region}:{account}:repository/{repository}"
    if not allows(permissions(cloud).policies.identity(role), Call("ecr:BatchGetImage", arn)):
        raise ProviderFailed(
            f"The role '{role}' does not have BatchGetImage permission for the image: '{uri}'."
        )


def _check_image(cloud: Cloud, uri: str) -> None:
    """Refuse an image that is not there, or whose manifest is none of Docker's, in SageMaker's words.

    https://github.com/aws/amazon-sagemaker-feedback/issues/180, https://github.com/moby/buildkit/issues/5480
    """
    repository, _, tag = uri.partition("/")[2].partition(":")
    answer = cloud.call("ecr", "batch_get_image", repositoryName=repository, imageIds=[{"imageTag": tag}])
    images = answer["images"]
    if not images:
        raise ProviderFailed(f"Requested image {uri} not found.")
    media_type = images[0]["imageManifestMediaType"]
    if media_type != DOCKER:
        raise ProviderFailed(
            f"Unsupported manifest media type {media_type} for image {uri}. "
            "Ensure that valid manifest media type is used for specified image."
        )


class EndpointConfigProvider:
    """AWS::SageMaker::EndpointConfig: every property is create-only."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        config = properties.get("EndpointConfigName", name)
        existing = cloud.client("sagemaker").list_endpoint_configs()["EndpointConfigs"]
        if config in {item["EndpointConfigName"] for item in existing}:
            # https://github.com/philschmid/terraform-aws-sagemaker-huggingface/issues/6
            raise ProviderFailed(f'Cannot create already existing endpoint configuration "{config}".')
        models = {item["ModelName"] for item in cloud.client("sagemaker").list_models()["Models"]}
        for variant in properties["ProductionVariants"]:
            if variant["ModelName"] not in models:
                raise ProviderFailed(f'Could not find model "{variant["ModelName"]}".')
        answer = cloud.call(
            "sagemaker", "create_endpoint_config", **{**properties, "EndpointConfigName": config}
        )
        arn = answer["EndpointConfigArn"]
        return Physical(arn, config, {"EndpointConfigName": config, "EndpointConfigArn": arn})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Only tags change in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("sagemaker", "delete_endpoint_config", EndpointConfigName=physical.name)


class EndpointProvider:
    """AWS::SageMaker::Endpoint: an update is SageMaker's UpdateEndpoint, with its refusals."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        endpoint = properties.get("EndpointName", name)
        names = {"EndpointName": endpoint, "EndpointConfigName": properties["EndpointConfigName"]}
        existing = cloud.client("sagemaker").list_endpoints()["Endpoints"]
        if endpoint in {item["EndpointName"] for item in existing}:
            raise ProviderFailed(f'Cannot create already existing endpoint "{endpoint}".')
        answer = cloud.call("sagemaker", "create_endpoint", **names)
        arn = answer["EndpointArn"]
        return Physical(arn, endpoint, {"EndpointName": endpoint, "EndpointArn": arn})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        client = cloud.client("sagemaker")
        current = client.describe_endpoint(EndpointName=physical.name)["EndpointConfigName"]
        wanted = after["EndpointConfigName"]
        if current == wanted:
            raise ProviderFailed("Cannot update in-service endpoint with its current configuration.")
        types = [_instance_types(cloud, name) for name in (current, wanted)]
        scaled = _scaled_variants(cloud, physical.name)
        refused = sorted(name for name in scaled if types[0].get(name) != types[1].get(name))
        if refused:
            # What SageMaker's UpdateEndpoint answers for a variant that Application Auto Scaling scales.
            raise ProviderFailed(
                f'The variant(s) "{refused}" must be deregistered as scalable targets with AutoScaling '
                "before they can be removed or have their instance type updated."
            )
        update_endpoint(cloud.region, physical.name, wanted)

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.call("sagemaker", "delete_endpoint", EndpointName=physical.name)


def _instance_types(cloud: Cloud, config: str) -> dict[str, str]:
    answer = cloud.call("sagemaker", "describe_endpoint_config", EndpointConfigName=config)
    return {variant["VariantName"]: variant["InstanceType"] for variant in answer["ProductionVariants"]}


def _scaled_variants(cloud: Cloud, endpoint: str) -> set[str]:
    client = cloud.client("application-autoscaling")
    targets = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    parts = [target["ResourceId"].split("/") for target in targets]
    return {variant for kind, name, _, variant in parts if (kind, name) == ("endpoint", endpoint)}
