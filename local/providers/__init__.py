"""What CloudFormation's resource providers do, on the services' own APIs: one class a resource type."""

from local.providers.api_gateway import DeploymentProvider, RestApiProvider
from local.providers.base import Cloud, Physical, Provider, ProviderFailed
from local.providers.functions import FunctionProvider, PermissionProvider
from local.providers.observability import AlarmProvider, DashboardProvider, LogGroupProvider
from local.providers.roles import PolicyProvider, RoleProvider
from local.providers.sagemaker import EndpointConfigProvider, EndpointProvider, ModelProvider
from local.providers.scaling import ScalableTargetProvider, ScalingPolicyProvider
from local.providers.stages import StageProvider

PROVIDERS: dict[str, Provider] = {
    "AWS::ApiGateway::Deployment": DeploymentProvider(),
    "AWS::ApiGateway::RestApi": RestApiProvider(),
    "AWS::ApiGateway::Stage": StageProvider(),
    "AWS::ApplicationAutoScaling::ScalableTarget": ScalableTargetProvider(),
    "AWS::ApplicationAutoScaling::ScalingPolicy": ScalingPolicyProvider(),
    "AWS::CloudWatch::Alarm": AlarmProvider(),
    "AWS::CloudWatch::Dashboard": DashboardProvider(),
    "AWS::IAM::Policy": PolicyProvider(),
    "AWS::IAM::Role": RoleProvider(),
    "AWS::Lambda::Function": FunctionProvider(),
    "AWS::Lambda::Permission": PermissionProvider(),
    "AWS::Logs::LogGroup": LogGroupProvider(),
    "AWS::SageMaker::Endpoint": EndpointProvider(),
    "AWS::SageMaker::EndpointConfig": EndpointConfigProvider(),
    "AWS::SageMaker::Model": ModelProvider(),
}

__all__ = ["PROVIDERS", "Cloud", "Physical", "Provider", "ProviderFailed"]
