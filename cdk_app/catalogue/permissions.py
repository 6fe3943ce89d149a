"""What the catalogue's two functions may do: each statement is what image_similarity/catalogue/ calls."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam
from aws_cdk import aws_s3vectors as s3vectors
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk_app import iam
from cdk_app.catalogue.kept import NEWEST
from cdk_app.choices import Choices


def index_statements(
    index: s3vectors.CfnIndex, queue: sqs.CfnQueue, table: dynamodb.CfnTable, choices: Choices
) -> list[iam.Statement]:
    """For the function that indexes, and for Lambda's pollers, which use its role.

    s3:ListBucket is for the sync, and for every object: without it S3 says 403 of one that is gone, not 404.
    """
    buckets = choices.parameters["ImageBuckets"]
    return [
        iam.allow(
            [
                "sqs:ChangeMessageVisibility",
                "sqs:DeleteMessage",
                "sqs:GetQueueAttributes",
                "sqs:ReceiveMessage",
                "sqs:SendMessage",
            ],
            queue.attr_arn,
        ),
        iam.allow(
            [
                "s3vectors:DeleteVectors",
                "s3vectors:GetVectors",
                "s3vectors:ListVectors",
                "s3vectors:PutVectors",
            ],
            index.attr_index_arn,
        ),
        iam.allow(
            [
                "dynamodb:BatchGetItem",
                "dynamodb:DeleteItem",
                "dynamodb:GetItem",
                "dynamodb:PutItem",
                "dynamodb:Query",
                "dynamodb:UpdateItem",
            ],
            table.attr_arn,
        ),
        iam.allow(["s3:GetObject"], iam.bucket_arns(choices.conditions, buckets, "/*")),
        iam.allow(["s3:ListBucket"], iam.bucket_arns(choices.conditions, buckets)),
    ]


def answer_statements(
    index: s3vectors.CfnIndex, queue: sqs.CfnQueue, table: dynamodb.CfnTable, choices: Choices
) -> list[iam.Statement]:
    """For the function that answers: it searches, reports the state, and starts a sync with one message.

    A query that filters or returns metadata needs GetVectors too: API_S3VectorBuckets_QueryVectors.
    """
    objects = iam.bucket_arns(choices.conditions, choices.parameters["ImageBuckets"], "/*")
    return [
        iam.allow(["sqs:GetQueueAttributes", "sqs:SendMessage"], queue.attr_arn),
        iam.allow(["s3vectors:GetVectors", "s3vectors:QueryVectors"], index.attr_index_arn),
        iam.allow(["dynamodb:GetItem", "dynamodb:PutItem"], table.attr_arn),
        iam.allow(["dynamodb:Query"], cdk.Fn.join("/", [table.attr_arn, "index", NEWEST])),
        iam.allow(["s3:GetObject"], objects),
    ]


def key_policy(scope: Construct, role: aws_iam.CfnRole, choices: Choices) -> aws_iam.CfnPolicy:
    """If the account's own key encrypts the queues, senders and receivers must be allowed to use it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html

    Through SQS alone, whose own key asks for that too: the account may have other data under this key.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    # What follows the region is not documented for every partition.
    queues = {"kms:ViaService": cdk.Fn.sub("sqs.${AWS::Region}.*")}
    key = choices.parameters["KmsKeyArn"]
    use = iam.allow(["kms:Decrypt", "kms:GenerateDataKey"], key, StringLike=queues)
    policy = aws_iam.CfnPolicy(
        scope,
        "KeyPolicy",
        policy_name="UseTheQueuesKey",
        policy_document=iam.document([use]),
        roles=[role.ref],
    )
    policy.cfn_options.condition = choices.conditions["IsCatalogueServingWithKey"]
    return policy
