"""The parameters' texts, rules and defaults, in the order of the console."""

from dataclasses import dataclass

from cdk_app import values
from cdk_app.config import AUTHORIZATION_VALUES, BACKEND_VALUES, DeploymentConfig
from cdk_app.constraints import Constraint, OneOf

FEATURE, SAGEMAKER, OPERATION = "Image Similarity", "SageMaker backend", "Operation"


@dataclass(frozen=True)
class Spec:
    """One parameter: its console text, its rule, and its default as the flags have it."""

    name: str
    group: str
    label: str
    default: str
    constraint: Constraint
    description: str


def specs(config: DeploymentConfig) -> tuple[Spec, ...]:
    """Every parameter of the stack, in the order of the console."""
    return (*_feature_specs(config), *_sagemaker_specs(config), *_operation_specs(config))


def _feature_specs(config: DeploymentConfig) -> tuple[Spec, ...]:
    backends = OneOf(tuple(BACKEND_VALUES[backend] for backend in (*config.backends, "none")))
    return (
        Spec(
            "ImageSimilarity",
            FEATURE,
            "Image Similarity",
            BACKEND_VALUES[config.backend],
            backends,
            "Where images are compared: yes-lambda costs nothing at rest; yes-sagemaker bills its instances "
            "by the hour, starts in about 10 minutes and is never cold; no removes the feature's resources "
            "and keeps the API's URL.",
        ),
        Spec(
            "APIGatewayAuthorization",
            FEATURE,
            "API Gateway Authorization",
            AUTHORIZATION_VALUES[config.authorization],
            OneOf(tuple(AUTHORIZATION_VALUES.values())),
            "AWS_IAM: callers sign requests (SigV4) and need execute-api:Invoke. NONE: everyone on the "
            "internet may call at your cost; in China regions that also needs an ICP licence.",
        ),
        Spec(
            "APIExplorer",
            FEATURE,
            "API Explorer",
            config.api_explorer,
            OneOf(values.SWITCH),
            "A page that documents the API and tries it out. The page itself is open to everyone, also with "
            "AWS_IAM.",
        ),
        Spec(
            "APIGatewayStageName",
            FEATURE,
            "API Gateway Stage Name",
            config.stage,
            values.STAGE_NAME,
            "The first part of the path in every URL. Changing it changes the URLs that callers use.",
        ),
        Spec(
            "ImageBuckets",
            FEATURE,
            "Image Buckets",
            config.image_buckets,
            values.BUCKETS,
            "S3 buckets that s3:// URLs may name, comma-separated; empty: none. Whoever may call the API can "
            "compare their objects, so list no private bucket with authorization NONE.",
        ),
        Spec(
            "LambdaMemorySize",
            FEATURE,
            "Lambda Memory Size",
            config.lambda_memory,
            values.LAMBDA_MEMORY,
            "Memory in MB; CPU grows with it, and so does the price of a second. New accounts may use up to "
            "3008. Used by yes-lambda.",
        ),
    )


def _sagemaker_specs(config: DeploymentConfig) -> tuple[Spec, ...]:
    return (
        Spec(
            "SageMakerInstanceType",
            SAGEMAKER,
            "Instance Type",
            config.sagemaker_instance_type,
            OneOf(config.instance_types),
            "Billed by the hour for each instance; the account's quota for it must allow the maximum below. "
            "A change starts a new endpoint beside the old one, which serves until then. Used by "
            "yes-sagemaker.",
        ),
        Spec(
            "SageMakerMinInstances",
            SAGEMAKER,
            "Minimum Instances",
            config.sagemaker_min,
            values.INSTANCES,
            "Instances that always run; 2 or more survive the loss of a zone. Not over the maximum.",
        ),
        Spec(
            "SageMakerMaxInstances",
            SAGEMAKER,
            "Maximum Instances",
            config.sagemaker_max,
            values.INSTANCES,
            "Instances that run under load at most: the ceiling of the bill. Not under the minimum.",
        ),
    )


def _operation_specs(config: DeploymentConfig) -> tuple[Spec, ...]:
    return (
        Spec(
            "ThrottlingRateLimit",
            OPERATION,
            "Throttling Rate Limit",
            config.rate_limit,
            values.RATE,
            "Requests a second that the API takes in the long run; more are answered 429.",
        ),
        Spec(
            "ThrottlingBurstLimit",
            OPERATION,
            "Throttling Burst Limit",
            config.burst_limit,
            values.BURST,
            "Requests that the API takes at once before the rate limit counts.",
        ),
        Spec(
            "LogRetentionDays",
            OPERATION,
            "Log Retention Days",
            config.log_retention_days,
            OneOf(values.RETENTION_DAYS),
            "Days until log lines are deleted. All log groups go with the stack.",
        ),
        Spec(
            "AlarmTopicArn",
            OPERATION,
            "Alarm Topic ARN",
            config.alarm_topic_arn,
            values.TOPIC_ARN,
            "SNS topic in this region that alarms notify; empty: alarms only show in CloudWatch.",
        ),
        Spec(
            "AccessLogs",
            OPERATION,
            "Access Logs",
            config.access_logs,
            OneOf(values.SWITCH),
            "Access logs and detailed metrics of API Gateway, which cost extra. yes fails where the region "
            "has no CloudWatch role for API Gateway (API Gateway console, Settings): the stack makes none.",
        ),
    )
