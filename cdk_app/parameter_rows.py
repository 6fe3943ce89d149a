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
        text="Where images are compared. yes-lambda costs nothing while idle; yes-sagemaker is billed by "
        "instance and hour, takes about 10 minutes to start and has no cold starts; no deletes the "
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
        "internet may call at your cost; in China regions this also requires an ICP licence.",
    ),
    Row(
        flag="api_explorer",
        name="APIExplorer",
        group=FEATURE,
        label="API Explorer",
        default="yes",
        rule=SWITCH,
        text="A page that documents the API and lets you try it out. The page itself is open to everyone, "
        "even with AWS_IAM.",
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
        text="S3 buckets that s3:// URLs may name, comma-separated; empty: none. Anyone who may call the API"
        " can compare the objects in them, so list no private bucket with authorization NONE.",
    ),
    Row(
        flag="lambda_memory",
        name="LambdaMemorySize",
        group=FEATURE,
        label="Lambda Memory Size",
        default="3008",
        rule=values.LAMBDA_MEMORY,
        text="Memory in MB; CPU grows with it, and so does the price per second. New accounts are limited to"
        " 3008. Used by yes-lambda and the catalogue.",
    ),
    Row(
        flag="lambda_max_concurrency",
        name="LambdaMaxConcurrency",
        group=FEATURE,
        label="Lambda Max Concurrency",
        default="",
        rule=values.CONCURRENCY,
        text="The most requests that a function handles at once, reserved from the account's concurrency; "
        "this caps the bill of an open API. Further requests get 503. Empty: the account's limit. Used by "
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
        text="Each instance is billed by the hour; the account's quota for the type must cover the maximum "
        "below. A change starts a new endpoint beside the old one, which serves until the new one is "
        "ready. Used by yes-sagemaker.",
    ),
    Row(
        flag="sagemaker_min",
        name="SageMakerMinInstances",
        group=SAGEMAKER,
        label="Minimum Instances",
        default="1",
        rule=values.INSTANCES,
        text="Instances that a new endpoint starts with and that always run; with 2 or more the endpoint "
        "survives the loss of a zone. A change replaces the instances; the old ones serve until the new"
        " ones are ready. At most the maximum.",
    ),
    Row(
        flag="sagemaker_max",
        name="SageMakerMaxInstances",
        group=SAGEMAKER,
        label="Maximum Instances",
        default="2",
        rule=values.INSTANCES,
        text="The most instances that run under load; this caps the bill. At least the minimum.",
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
        text="Hosts that http(s) URLs may name, comma-separated: cdn.example.com, or .example.com for "
        "everything below it. none: no http(s) URLs. Empty: any public host.",
    ),
    Row(
        flag="user_agent_contact",
        name="UserAgentContact",
        group=NETWORK,
        label="User-Agent Contact",
        default="",
        rule=values.CONTACT,
        text="A URL or e-mail address shown in the User-Agent to servers that images are fetched from, so "
        "that they know whom to contact. Empty: the project's page.",
    ),
    Row(
        flag="subnet_ids",
        name="SubnetIds",
        group=NETWORK,
        label="Subnet Ids",
        default="",
        rule=values.SUBNETS,
        text="Subnets for the backend's network interfaces, comma-separated; for yes-sagemaker in at least "
        "two zones. They need a NAT for URLs and an S3 endpoint for s3://. Requires SecurityGroupIds.",
    ),
    Row(
        flag="security_group_ids",
        name="SecurityGroupIds",
        group=NETWORK,
        label="Security Group Ids",
        default="",
        rule=values.SECURITY_GROUPS,
        text="Security groups for those network interfaces, comma-separated; they must allow outbound 443, "
        "and 80 for http. Requires SubnetIds.",
    ),
    Row(
        flag="web_acl_arn",
        name="WebAclArn",
        group=NETWORK,
        label="Web ACL ARN",
        default="",
        rule=values.WEB_ACL_ARN,
        text="Regional web ACL (WAFv2) in this region to put in front of the stage. Empty: the stack "
        "attaches none. To replace one, empty this first.",
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
        text="Requests per second that the API accepts in the long run; further requests get 429. auto: 50 "
        "if calls are signed, 10 if they are open.",
    ),
    Row(
        flag="burst_limit",
        name="ThrottlingBurstLimit",
        group=OPERATION,
        label="Throttling Burst Limit",
        default=AUTO,
        rule=values.BURST,
        text="Requests that the API accepts at once before the rate limit applies. auto: 100 if calls are "
        "signed, 20 if they are open.",
    ),
    Row(
        flag="log_retention_days",
        name="LogRetentionDays",
        group=OPERATION,
        label="Log Retention Days",
        default="30",
        rule=OneOf(values.RETENTION_DAYS),
        text="Days until log lines are deleted. All log groups are deleted with the stack.",
    ),
    Row(
        flag="kms_key_arn",
        name="KmsKeyArn",
        group=OPERATION,
        label="KMS Key ARN",
        default="",
        rule=values.KEY_ARN,
        text="KMS key in this region that encrypts the log groups and the catalogue's queues; its policy "
        "must let CloudWatch Logs and, for the queues, EventBridge use it. Empty: AWS's own keys.",
    ),
    Row(
        flag="alarm_topic_arn",
        name="AlarmTopicArn",
        group=OPERATION,
        label="Alarm Topic ARN",
        default="",
        rule=values.TOPIC_ARN,
        text="SNS topic in this region that alarms notify. Empty: alarms only show in CloudWatch.",
    ),
    Row(
        flag="access_logs",
        name="AccessLogs",
        group=OPERATION,
        label="Access Logs",
        default="no",
        rule=SWITCH,
        text="API Gateway's access logs and detailed metrics, which cost extra. yes fails if the account has"
        " no CloudWatch role for API Gateway in this region (API Gateway console, Settings); the stack "
        "creates none.",
    ),
)
PARAMETERS = (*FEATURE_ROWS, *CATALOGUE_ROWS, *SAGEMAKER_ROWS, *NETWORK_ROWS, *OPERATION_ROWS)
