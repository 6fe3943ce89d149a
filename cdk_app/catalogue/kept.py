"""What the catalogue stores: the vectors, and a small table of what failed and of the last sync."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3vectors as s3vectors
from constructs import Construct

from cdk_app import addresses
from cdk_app.catalogue.index_name import index_name
from cdk_app.config import ROOT, DeploymentConfig
from supply_chain.pins import Pins

DIMENSIONS = 512
NEWEST = "newest"
"""The table's index of failures by time (image_similarity/catalogue/ledger_dynamodb.py)."""


def vector_index(scope: Construct, config: DeploymentConfig) -> s3vectors.CfnIndex:
    """The index in a vector bucket of its own, encrypted with S3's own keys: another key can't be set later.

    The bucket's name is from the stack's id: how CloudFormation makes one of a stack's name that is long or
    has capitals is not documented. The index names its bucket by ARN, which also orders their deletion: a
    bucket with an index is refused (API_S3VectorBuckets_DeleteVectorBucket, ConflictException).
    """
    bucket = s3vectors.CfnVectorBucket(
        scope,
        "VectorBucket",
        vector_bucket_name=addresses.own_name(),
        encryption_configuration=s3vectors.CfnVectorBucket.EncryptionConfigurationProperty(sse_type="AES256"),
    )
    return s3vectors.CfnIndex(
        scope,
        "Index",
        vector_bucket_arn=bucket.attr_vector_bucket_arn,
        index_name=index_name(config.flags, Pins.load(ROOT / "supply_chain" / "pins.json")),
        data_type="float32",
        dimension=DIMENSIONS,
        distance_metric="cosine",
        metadata_configuration=s3vectors.CfnIndex.MetadataConfigurationProperty(
            non_filterable_metadata_keys=["etag"]
        ),
    )


def ledger(scope: Construct) -> dynamodb.CfnTable:
    """The table, paid by the request: image_similarity/catalogue/ledger_dynamodb.py says what is in it."""
    kinds = {"kind": "S", "id": "S", "at": "N"}
    return dynamodb.CfnTable(
        scope,
        "Table",
        billing_mode="PAY_PER_REQUEST",
        attribute_definitions=[
            dynamodb.CfnTable.AttributeDefinitionProperty(attribute_name=name, attribute_type=kind)
            for name, kind in kinds.items()
        ],
        key_schema=_keys("kind", "id"),
        local_secondary_indexes=[
            dynamodb.CfnTable.LocalSecondaryIndexProperty(
                index_name=NEWEST,
                key_schema=_keys("kind", "at"),
                projection=dynamodb.CfnTable.ProjectionProperty(projection_type="ALL"),
            )
        ],
    )


def _keys(partition: str, sort: str) -> list[dynamodb.CfnTable.KeySchemaProperty]:
    return [
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=partition, key_type="HASH"),
        dynamodb.CfnTable.KeySchemaProperty(attribute_name=sort, key_type="RANGE"),
    ]
