"""WAF: web ACLs before stages."""

from collections.abc import Mapping

from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed


class WebAclAssociationProvider:
    """AWS::WAFv2::WebACLAssociation: both properties are create-only.

    A resource has one web ACL: AssociateWebACL replaces the one before, and DisassociateWebACL is told the
    resource alone. Whether CloudFormation's handler looks which one it takes away is not documented (its
    schema lists GetWebACLForResource among the permissions), so it is modelled at its worst: it does not, as
    seen with another tool in https://github.com/pulumi/pulumi-aws/issues/4782.
    https://docs.aws.amazon.com/waf/latest/APIReference/API_DisassociateWebACL.html
    """

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        resource, acl = properties["ResourceArn"], properties["WebACLArn"]
        if acl not in cloud.web_acls or resource not in {stage_arn(cloud, *item) for item in _stages(cloud)}:
            raise ProviderFailed(
                "WAFNonexistentItemException: AWS WAF couldn't perform the operation because your resource "
                "doesn't exist."
            )
        cloud.protected[resource] = acl
        return Physical(f"{resource}|{acl}", resource)

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Nothing of an association changes in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        cloud.protected.pop(physical.name, None)


def stage_arn(cloud: Cloud, api_id: str, stage: str) -> str:
    """The ARN that WAF knows a stage by."""
    partition = "aws-cn" if cloud.region.startswith("cn-") else "aws"
    return f"arn:{partition}:apigateway:{cloud.region}::/restapis/{api_id}/stages/{stage}"


def _stages(cloud: Cloud) -> list[tuple[str, str]]:
    return [(stage.api_id, stage.name) for stage in cloud.stages()]
