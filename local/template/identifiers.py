"""Values of Ref and GetAtt for resources that were never created: stable, and shaped like those of AWS."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from local.template.intrinsics import Json, ResolveError

_ARN = {
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{name}",
    "AWS::IAM::Role": "iam::{account}:role/{name}",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{name}",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{name}:*",
    "AWS::S3Vectors::Index": "s3vectors:{region}:{account}:bucket/{bucket}/index/{name}",
    "AWS::S3Vectors::VectorBucket": "s3vectors:{region}:{account}:bucket/{name}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{name}",
}
_REF_IS_ARN = {"AWS::S3Vectors::Index", "AWS::S3Vectors::VectorBucket"}
_REF_IS_ID = {"AWS::ApiGateway::Deployment", "AWS::ApiGateway::RestApi"}
_REF_IS_NAME = {
    "AWS::ApiGateway::Stage",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
}
_NAME_ATTRIBUTES = {"EndpointName", "EndpointConfigName", "ModelName", "QueueName"}
_ARN_ATTRIBUTES = {"Arn", "IndexArn", "VectorBucketArn"}


@dataclass(frozen=True)
class PseudoParameters:
    """Values of AWS::Region and the other pseudo parameters. `guid` is the last part of the stack's id."""

    region: str = "us-east-1"
    account: str = "123456789012"
    stack_name: str = "ImageSimilarity"
    guid: str = "51af3dc0-da77-11e4-872e-1234567db123"

    @property
    def partition(self) -> str:
        """`aws`, or `aws-cn` in the regions of China."""
        return "aws-cn" if self.region.startswith("cn-") else "aws"

    @property
    def values(self) -> dict[str, str]:
        """The pseudo parameters that the stack uses, by name; AWS::NoValue is not among them."""
        stack = f"stack/{self.stack_name}/{self.guid}"
        return {
            "AWS::AccountId": self.account,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackId": f"arn:{self.partition}:cloudformation:{self.region}:{self.account}:{stack}",
            "AWS::StackName": self.stack_name,
            "AWS::URLSuffix": "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com",
        }


@dataclass(frozen=True)
class DerivedIdentifiers:
    """Identifiers made from the logical id, or from the name property where the template gives one."""

    pseudo: PseudoParameters
    types: Mapping[str, str] = field(default_factory=dict)

    def ref(self, logical_id: str, properties: Mapping[str, Json]) -> str:
        """Value of Ref. Raises ResolveError for a type whose Ref is not known here."""
        kind = self.types[logical_id]
        if kind in _REF_IS_ID:
            return self._generated(logical_id)
        if kind in _REF_IS_NAME:
            return self.name(logical_id, properties)
        if kind in _REF_IS_ARN:
            return self._arn(logical_id, properties)
        if kind == "AWS::SQS::Queue":
            return self._queue_url(logical_id, properties)
        raise ResolveError(f"{logical_id} ({kind}) has no Ref that is known here.")

    def attribute(self, logical_id: str, name: str, properties: Mapping[str, Json]) -> str:
        """Value of Fn::GetAtt. Raises ResolveError for an attribute that is not known here."""
        kind = self.types[logical_id]
        if name in _ARN_ATTRIBUTES and kind in _ARN:
            return self._arn(logical_id, properties)
        if name in _NAME_ATTRIBUTES:
            return self.name(logical_id, properties)
        raise ResolveError(f"{logical_id} ({kind}) has no attribute {name} that is known here.")

    def name(self, logical_id: str, properties: Mapping[str, Json]) -> str:
        """The physical name: as given, or made of the stack's name and the logical id."""
        kind = self.types[logical_id].rsplit("::", 1)[1]
        given = properties.get("Name" if kind == "Rule" else f"{kind}Name")
        return str(given) if given is not None else f"{self.pseudo.stack_name}-{logical_id}"

    def _arn(self, logical_id: str, properties: Mapping[str, Json]) -> str:
        tail = _ARN[self.types[logical_id]].format(
            region=self.pseudo.region,
            account=self.pseudo.account,
            name=self.name(logical_id, properties),
            bucket=str(properties.get("VectorBucketArn", "")).rsplit("/", 1)[-1],
        )
        return f"arn:{self.pseudo.partition}:{tail}"

    def _queue_url(self, logical_id: str, properties: Mapping[str, Json]) -> str:
        host = f"sqs.{self.pseudo.region}.{self.pseudo.values['AWS::URLSuffix']}"
        return f"https://{host}/{self.pseudo.account}/{self.name(logical_id, properties)}"

    def _generated(self, seed: str) -> str:
        return hashlib.sha256(f"{self.pseudo.guid}{seed}".encode()).hexdigest()[:10]
