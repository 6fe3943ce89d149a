"""S3 Vectors: vector buckets and indexes, which moto holds without AWS's refusals."""

import re
from collections.abc import Mapping

from local.template.intrinsics import Json
from tests.cloudformation.providers.base import Cloud, Physical, ProviderFailed

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-buckets.html#s3-vectors-buckets-naming-rules
# and s3-vectors-indexes.html#s3-vectors-indexes-naming: no underscore, no capital
BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
INDEX_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class VectorBucketProvider:
    """AWS::S3Vectors::VectorBucket: all but tags is create-only, and Ref is the ARN."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        bucket = properties.get("VectorBucketName", name)
        if not BUCKET_NAME.fullmatch(bucket):
            raise ProviderFailed(f"ValidationException: {bucket} is no name of a vector bucket")
        client = cloud.client("s3vectors")
        if bucket in {item["vectorBucketName"] for item in client.list_vector_buckets()["vectorBuckets"]}:
            raise ProviderFailed("ConflictException: A vector bucket with the specified name already exists")
        # A key can't be set later; without Decrypt for indexing.s3vectors.amazonaws.com CreateIndex fails:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-vectors-data-encryption.html
        kind = properties.get("EncryptionConfiguration", {}).get("SseType", "AES256")
        if kind != "AES256":
            raise ProviderFailed(f"{bucket}: {kind} is not modelled here")
        cloud.call(
            "s3vectors",
            "create_vector_bucket",
            vectorBucketName=bucket,
            encryptionConfiguration={"sseType": kind},
        )
        made = client.get_vector_bucket(vectorBucketName=bucket)["vectorBucket"]
        arn = made["vectorBucketArn"]
        return Physical(arn, bucket, {"VectorBucketArn": arn})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Only tags change in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        """Delete it; moto would do so with the indexes.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_S3VectorBuckets_DeleteVectorBucket.html
        """
        if cloud.client("s3vectors").list_indexes(vectorBucketArn=physical.ref)["indexes"]:
            raise ProviderFailed("ConflictException: The vector bucket is not empty")
        cloud.call("s3vectors", "delete_vector_bucket", vectorBucketName=physical.name)  # moto: by name alone


class IndexProvider:
    """AWS::S3Vectors::Index: all but tags is create-only, and Ref is the ARN."""

    def create(self, cloud: Cloud, name: str, properties: Mapping[str, Json]) -> Physical:
        bucket, index = properties["VectorBucketArn"], properties.get("IndexName", name)
        if not INDEX_NAME.fullmatch(index):
            raise ProviderFailed(f"ValidationException: {index} is no name of an index")
        made = cloud.call("s3vectors", "list_indexes", vectorBucketArn=bucket)["indexes"]
        if index in {item["indexName"] for item in made}:
            raise ProviderFailed("ConflictException: An index with the specified name already exists")
        hidden = properties.get("MetadataConfiguration", {}).get("NonFilterableMetadataKeys")
        cloud.call(
            "s3vectors",
            "create_index",
            vectorBucketArn=bucket,
            indexName=index,
            dataType=properties["DataType"],
            dimension=properties["Dimension"],
            distanceMetric=properties["DistanceMetric"],
            **({"metadataConfiguration": {"nonFilterableMetadataKeys": hidden}} if hidden else {}),
        )
        arn = f"{bucket}/index/{index}"
        return Physical(arn, index, {"IndexArn": arn})

    def update(
        self, cloud: Cloud, physical: Physical, before: Mapping[str, Json], after: Mapping[str, Json]
    ) -> None:
        """Only tags change in place."""

    def delete(self, cloud: Cloud, physical: Physical, properties: Mapping[str, Json]) -> None:
        """An index goes with its vectors: API_S3VectorBuckets_DeleteIndex."""
        cloud.call("s3vectors", "delete_index", indexArn=physical.ref)
