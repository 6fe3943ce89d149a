"""What CloudFormation's resource providers do, on the services' own APIs: one class a resource type."""

from tests.cloudformation.providers.api_gateway import DeploymentProvider, RestApiProvider
from tests.cloudformation.providers.base import Cloud, Physical, Provider, ProviderFailed
from tests.cloudformation.providers.functions import FunctionProvider, PermissionProvider
from tests.cloudformation.providers.mappings import EventSourceMappingProvider
from tests.cloudformation.providers.observability import AlarmProvider, DashboardProvider, LogGroupProvider
from tests.cloudformation.providers.queues import QueuePolicyProvider, QueueProvider
from tests.cloudformation.providers.roles import PolicyProvider, RoleProvider
from tests.cloudformation.providers.rules import RuleProvider
from tests.cloudformation.providers.sagemaker import EndpointConfigProvider, EndpointProvider, ModelProvider
from tests.cloudformation.providers.scaling import ScalableTargetProvider, ScalingPolicyProvider
from tests.cloudformation.providers.stages import StageProvider
from tests.cloudformation.providers.tables import TableProvider
from tests.cloudformation.providers.vectors import IndexProvider, VectorBucketProvider
from tests.cloudformation.providers.web_acls import WebAclAssociationProvider

PROVIDERS: dict[str, Provider] = {
    "AWS::ApiGateway::Deployment": DeploymentProvider(),
    "AWS::ApiGateway::RestApi": RestApiProvider(),
    "AWS::ApiGateway::Stage": StageProvider(),
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTargetProvider(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicyProvider(),
    "AWS::CloudWatch::Alarm": AlarmProvider(),
    "AWS::CloudWatch::Dashboard": DashboardProvider(),
    "AWS::DynamoDB::Table": TableProvider(),
    "AWS::Events::Rule": RuleProvider(),
    "AWS::IAM::Policy": PolicyProvider(),
    "AWS::IAM::Role": RoleProvider(),
    "AWS::Lambda::EventSourceMapping": EventSourceMappingProvider(),
    "AWS::Lambda::Function": FunctionProvider(),
    "AWS::Lambda::Permission": PermissionProvider(),
    "AWS::Logs::LogGroup": LogGroupProvider(),
    "AWS::S3Vectors::Index": IndexProvider(),
    "AWS::S3Vectors::VectorBucket": VectorBucketProvider(),
    "AWS::SQS::Queue": QueueProvider(),
    "AWS::SQS::QueuePolicy": QueuePolicyProvider(),
    "AWS::SageMaker::Endpoint": EndpointProvider(),
    "AWS::SageMaker::EndpointConfig": EndpointConfigProvider(),
    "AWS::SageMaker::Model": ModelProvider(),
    "AWS::WAFv2::WebACLAssociation": WebAclAssociationProvider(),
}

__all__ = ["PROVIDERS", "Cloud", "Physical", "Provider", "ProviderFailed"]
