"""The rows of the stack's parameters, in the order of the console."""

from cdk_app import values
from cdk_app.build_rows import backends, instance_types
from cdk_app.catalogue.rows import CATALOGUE_ROWS
from cdk_app.constraints import OneOf
from cdk_app.table import Flags, Row

FEATURE, SAGEMAKER, NETWORK, OPERATION = "Image Similarity", "SageMaker backend", "Network", "Operation"
AUTO = "auto"
SWITCH = OneOf(("yes", "no"))


def _instance_type(flags: Flags) -> OneOf:
    return OneOf((AUTO, *instance_types(flags)))


FEATURE_ROWS = (
    Row(
        flag="backend",
        name="ImageSimilarity",
        group=FEATURE,
        label="Image Similarity",
        default="lambda",
        rule=OneOf(("lambda", "sagemaker", "none")),
        words={"lambda": "yes-lambda", "sagemaker": "yes-sagemaker", "none": "no"},
        offers=lambda flags: (*backends(flags), "none"),
        text="Where images are compared: yes-lambda costs nothing at rest; yes-sagemaker bills its "
        "instances by the hour, starts in about 10 minutes and is never cold; no removes the "
        "feature's resources and keeps the API's URL.",
    ),
    Row(
        flag="authorization",
        name="APIGatewayAuthorization",
        group=FEATURE,
        label="API Gateway Authorization",
        default="IAM",
        rule=OneOf(("IAM", "NONE")),
        words={"IAM": "AWS_IAM"},
        text="AWS_IAM: callers sign requests (SigV4) and need execute-api:Invoke. NONE: everyone on the "
        "internet may call at your cost; in China regions that also needs an ICP licence.",
    ),
    Row(
        flag="api_explorer",
        name="APIExplorer",
        group=FEATURE,
        label="API Explorer",
        default="yes",
        rule=SWITCH,
        text="A page that documents the API and tries it out. The page itself is open to everyone, also "
        "with AWS_IAM.",
    ),
    Row(
        flag="stage",
        name="APIGatewayStageName",
        group=FEATURE,
        label="API Gateway Stage Name",
        default="prod",
        rule=values.STAGE_NAME,
        text="The first part of the path in every URL. Changing it changes the URLs that callers use.",
    ),
    Row(
        flag="image_buckets",
        name="ImageBuckets",
        group=FEATURE,
        label="Image Buckets",
        default="",
        rule=values.BUCKETS,
        text="S3 buckets that s3:// URLs may name, comma-separated; empty: none. Whoever may call the API "
        "can compare their objects, so list no private bucket with authorization NONE.",
    ),
    Row(
        flag="lambda_memory",
        name="LambdaMemorySize",
        group=FEATURE,
        label="Lambda Memory Size",
        default="3008",
        rule=values.LAMBDA_MEMORY,
        text="Memory in MB; CPU grows with it, and so does the price of a second. New accounts may use up "
        "to 3008. Used by yes-lambda and the catalogue.",
    ),
    Row(
        flag="lambda_max_concurrency",
        name="LambdaMaxConcurrency",
        group=FEATURE,
        label="Lambda Max Concurrency",
        default="",
        rule=values.CONCURRENCY,
        text="Requests that a function works on at once at most, reserved out of the account's concurrency: "
        "the ceiling of an open API's bill. More are answered 503. Empty: the account's limit. Used by "
        "yes-lambda, and once more by the catalogue's searches.",
    ),
)
SAGEMAKER_ROWS = (
    Row(
        flag="sagemaker_instance_type",
        name="SageMakerInstanceType",
        group=SAGEMAKER,
        label="Instance Type",
        default=AUTO,
        rule=_instance_type,
        offers=instance_types,
        text="Billed by the hour for each instance; the account's quota for it must allow the maximum "
        "below. A change starts a new endpoint beside the old one, which serves until then. Used by "
        "yes-sagemaker.",
    ),
    Row(
        flag="sagemaker_min",
        name="SageMakerMinInstances",
        group=SAGEMAKER,
        label="Minimum Instances",
        default="1",
        rule=values.INSTANCES,
        text="Instances that a new endpoint starts with and that always run; 2 or more survive the loss of "
        "a zone. A change replaces the instances, the old ones serving until then. Not over the "
        "maximum.",
    ),
    Row(
        flag="sagemaker_max",
        name="SageMakerMaxInstances",
        group=SAGEMAKER,
        label="Maximum Instances",
        default="2",
        rule=values.INSTANCES,
        text="Instances that run under load at most: the ceiling of the bill. Not under the minimum.",
    ),
)
NETWORK_ROWS = (
    Row(
        flag="url_hosts",
        name="UrlHosts",
        group=NETWORK,
        label="URL Hosts",
        default="",
        rule=values.URL_HOSTS,
        text="Hosts that http(s) URLs may name, comma-separated: cdn.example.com, or .example.com for all "
        "below it. none: no http(s) URL at all. Empty: any public host.",
    ),
    Row(
        flag="user_agent_contact",
        name="UserAgentContact",
        group=NETWORK,
        label="User-Agent Contact",
        default="",
        rule=values.CONTACT,
        text="A URL or address that the servers which images are fetched from see in the User-Agent, so "
        "that they know whom to ask. Empty: the project's page.",
    ),
    Row(
        flag="subnet_ids",
        name="SubnetIds",
        group=NETWORK,
        label="Subnet Ids",
        default="",
        rule=values.SUBNETS,
        text="Subnets that the backend's network interfaces are put into, comma-separated; at least two "
        "zones for yes-sagemaker. They need a NAT for URLs and an S3 endpoint for s3://. Goes with "
        "SecurityGroupIds.",
    ),
    Row(
        flag="security_group_ids",
        name="SecurityGroupIds",
        group=NETWORK,
        label="Security Group Ids",
        default="",
        rule=values.SECURITY_GROUPS,
        text="Security groups of those network interfaces, comma-separated; outbound 443, and 80 for http. "
        "Goes with SubnetIds.",
    ),
    Row(
        flag="web_acl_arn",
        name="WebAclArn",
        group=NETWORK,
        label="Web ACL ARN",
        default="",
        rule=values.WEB_ACL_ARN,
        text="Regional web ACL (WAFv2) of this region that the stage is put behind; empty: none of the "
        "stack's. To replace one, empty this first.",
    ),
)
OPERATION_ROWS = (
    Row(
        flag="rate_limit",
        name="ThrottlingRateLimit",
        group=OPERATION,
        label="Throttling Rate Limit",
        default=AUTO,
        rule=values.RATE,
        text="Requests a second that the API takes in the long run; more are answered 429. auto: 50 where "
        "calls are signed, 10 where they are open.",
    ),
    Row(
        flag="burst_limit",
        name="ThrottlingBurstLimit",
        group=OPERATION,
        label="Throttling Burst Limit",
        default=AUTO,
        rule=values.BURST,
        text="Requests that the API takes at once before the rate limit counts. auto: 100 where calls are "
        "signed, 20 where they are open.",
    ),
    Row(
        flag="log_retention_days",
        name="LogRetentionDays",
        group=OPERATION,
        label="Log Retention Days",
        default="30",
        rule=OneOf(values.RETENTION_DAYS),
        text="Days until log lines are deleted. All log groups go with the stack.",
    ),
    Row(
        flag="kms_key_arn",
        name="KmsKeyArn",
        group=OPERATION,
        label="KMS Key ARN",
        default="",
        rule=values.KEY_ARN,
        text="KMS key of this region that log groups and the catalogue's queues are encrypted with; its "
        "policy must let CloudWatch Logs and, for the queues, EventBridge use it. Empty: keys of AWS's own.",
    ),
    Row(
        flag="alarm_topic_arn",
        name="AlarmTopicArn",
        group=OPERATION,
        label="Alarm Topic ARN",
        default="",
        rule=values.TOPIC_ARN,
        text="SNS topic in this region that alarms notify; empty: alarms only show in CloudWatch.",
    ),
    Row(
        flag="access_logs",
        name="AccessLogs",
        group=OPERATION,
        label="Access Logs",
        default="no",
        rule=SWITCH,
        text="Access logs and detailed metrics of API Gateway, which cost extra. yes fails where the "
        "region has no CloudWatch role for API Gateway (API Gateway console, Settings): the stack "
        "makes none.",
    ),
)
PARAMETERS = (*FEATURE_ROWS, *CATALOGUE_ROWS, *SAGEMAKER_ROWS, *NETWORK_ROWS, *OPERATION_ROWS)
