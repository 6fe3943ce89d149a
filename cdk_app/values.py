"""The values that parameters and flags may take, with the services' own limits."""

from cdk_app.constraints import Number, Pattern

SWITCH = ("yes", "no")
MODEL_NAME = Pattern(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
    "the name of an open_clip model with 512 dimensions, such as ViT-B-32; sscd_disc_mixup; or embedded",
)
PRETRAINED_TAG = Pattern(
    r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}",
    "an open_clip pretrained tag, such as laion2b_s34b_b79k",
)
# https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html
STAGE_NAME = Pattern(r"[A-Za-z0-9_-]{1,128}", "1 to 128 letters, digits, '_' and '-'")
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; under 1024 the model has no room
LAMBDA_MEMORY = Number(1024, 10240)
INSTANCES = Number(1)
# The account's own limits: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
RATE = Pattern(r"auto|[1-9][0-9]{0,3}|10000", "auto, or a whole number, 1 to 10000")
BURST = Pattern(r"auto|[1-9][0-9]{0,2}|[1-4][0-9]{3}|5000", "auto, or a whole number, 1 to 5000")
CONCURRENCY = Pattern(r"|[1-9][0-9]{0,4}", "a whole number, 1 to 99999, or nothing")
# Each reaches the containers as one environment variable, of which SageMaker takes 1,024 characters:
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html
VARIABLE_LENGTH = 1024
_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
# Each name stands twice in the policies of the role that indexes, of which IAM takes 10,240 characters in
# all, and refuses more in the middle of a deployment:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
MOST_BUCKETS = 100
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKETS = Pattern(
    rf"|{_BUCKET}(?:,{_BUCKET}){{0,{MOST_BUCKETS - 1}}}",
    f"1 to {MOST_BUCKETS} S3 bucket names, comma-separated without spaces, or nothing",
    VARIABLE_LENGTH,
)
# A public host has a dot, which keeps `none` from standing beside others. What is accepted here the
# containers must accept when they start (image_similarity/inference/sources/policy.py): a test compares.
_NAME = r"[a-z0-9_][a-z0-9_-]{0,62}\.[a-z0-9_.-]{1,180}"
_SUFFIX = r"\.[a-z0-9_][a-z0-9_.-]{0,240}"
_IPV6 = r"[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}"
_HOST = rf"(?:{_NAME}|{_SUFFIX}|{_IPV6})"
URL_HOSTS = Pattern(
    rf"|none|{_HOST}(?:,{_HOST})*",
    "hosts and .suffixes in lower case, comma-separated without spaces; or just none; or nothing",
    VARIABLE_LENGTH,
)
# It becomes a comment of the User-Agent, which ends at a closing bracket (RFC 9110, section 10.1.5).
CONTACT = Pattern(
    r"|https?://[A-Za-z0-9._~:/?#@!$&'*+,;=%-]{3,200}|[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{3,190}",
    "a URL (http or https) or an e-mail address, or nothing",
    200,
)
_PARTITION = "arn:aws[a-z-]*"
TOPIC_ARN = Pattern(
    rf"|{_PARTITION}:sns:[a-z0-9-]+:[0-9]{{12}}:[A-Za-z0-9_-]{{1,256}}",
    "the ARN of an SNS topic, or nothing",
)
# https://docs.aws.amazon.com/waf/latest/APIReference/API_AssociateWebACL.html; a stage takes a regional one
WEB_ACL_ARN = Pattern(
    rf"|{_PARTITION}:wafv2:[a-z0-9-]+:[0-9]{{12}}:regional/webacl/[A-Za-z0-9_-]{{1,128}}/[0-9a-f-]{{36}}",
    "the ARN of a regional web ACL (WAFv2), or nothing",
)
# CloudWatch Logs wants the key's ARN, not its alias:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
KEY_ARN = Pattern(
    rf"|{_PARTITION}:kms:[a-z0-9-]+:[0-9]{{12}}:key/[A-Za-z0-9-]{{1,64}}",
    "the ARN of a KMS key (not of an alias), or nothing",
)
# At most 16 subnets and 5 groups: https://docs.aws.amazon.com/lambda/latest/api/API_VpcConfig.html and
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_VpcConfig.html
SUBNETS = Pattern(
    r"|subnet-[0-9a-f]{8,17}(?:,subnet-[0-9a-f]{8,17}){0,15}",
    "1 to 16 subnet ids, comma-separated without spaces, or nothing",
)
SECURITY_GROUPS = Pattern(
    r"|sg-[0-9a-f]{8,17}(?:,sg-[0-9a-f]{8,17}){0,4}",
    "1 to 5 security group ids, comma-separated without spaces, or nothing",
)
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545),
    *(731, 1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
RETENTION_DAYS = tuple(str(days) for days in _DAYS)

# What the SageMaker image runs on, the default first.
INSTANCE_TYPES = {
    "x86_64": (
        "ml.c5.large",  # the cheapest with a whole core, and available in every region
        "ml.c5.xlarge",
        "ml.c5.2xlarge",
        "ml.c6i.large",
        "ml.c6i.xlarge",
        "ml.c6i.2xlarge",
        "ml.c6i.4xlarge",
        "ml.c7i.large",
        "ml.c7i.xlarge",
        "ml.c7i.2xlarge",
        "ml.c7i.4xlarge",
        "ml.m5.large",
        "ml.m5.xlarge",
        "ml.m6i.large",
        "ml.m6i.xlarge",
    ),
    "arm64": (
        "ml.c6g.large",
        "ml.c6g.xlarge",
        "ml.c6g.2xlarge",
        "ml.c7g.large",
        "ml.c7g.xlarge",
        "ml.c7g.2xlarge",
        "ml.c7g.4xlarge",
    ),
    "gpu": (
        "ml.g4dn.xlarge",
        "ml.g4dn.2xlarge",
        "ml.g5.xlarge",
        "ml.g5.2xlarge",
        "ml.g6.xlarge",
        "ml.g6.2xlarge",
    ),
}
