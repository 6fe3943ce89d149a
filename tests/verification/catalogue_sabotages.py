"""The sabotaged stacks of the catalogue's rows."""

from collections.abc import Mapping
from typing import Any

from tests.verification.catalogue import BUCKET, CATALOGUE, OTHER_BUCKET
from tests.verification.sabotage import BODY, OPEN, Sabotage, answered, of_resource, put, without

BOTH = f"{BUCKET},{OTHER_BUCKET}"
PATTERN = "EventPattern|detail|bucket|name"
NO_INDEX = "arn:aws:s3vectors:us-east-1:123456789012:bucket/absent/index/absent"
OTHER_RULE = "arn:aws:events:us-east-1:123456789012:rule/another"


def short_keys(body: Any) -> Any:
    """Searches that find nothing under a long key."""
    if "matches" in body:
        body["matches"] = [match for match in body["matches"] if len(match["key"]) < 500]
    return body


CATALOGUE_SABOTAGES: Mapping[str, Sabotage] = {
    "catalogue-routes": Sabotage(
        "too many: .*'POST', '/catalogue/sync', 'NONE'",
        put(f"{BODY}|paths|/catalogue/sync|Fn::If|1|post|security", OPEN),
        parameters=CATALOGUE,
    ),
    "catalogue-status": Sabotage(
        "buckets .*'another'",
        of_resource("CatalogueAnswerFunction", "Environment|Variables|IMAGE_BUCKETS", "another"),
        parameters=CATALOGUE,
    ),
    "catalogue-search": Sabotage(
        "^50[0-3]",
        of_resource("CatalogueAnswerFunction", "Environment|Variables|CATALOGUE_INDEX_ARN", NO_INDEX),
        parameters=CATALOGUE,
    ),
    "catalogue-sync": Sabotage(
        "not complete: 1 wait", without("Resources|CatalogueMapping"), parameters=CATALOGUE
    ),
    "catalogue-object": Sabotage(
        "is not among",
        of_resource(
            "CatalogueQueuePolicy", "PolicyDocument|Statement|0|Condition|ArnEquals|aws:SourceArn", OTHER_RULE
        ),
        parameters=CATALOGUE,
    ),
    "catalogue-long-key": Sabotage("is not among", quirks=answered(short_keys), parameters=CATALOGUE),
    "catalogue-index": Sabotage(
        "vector bucket is 'pictures'",
        of_resource("CatalogueVectorBucket", "VectorBucketName", "pictures"),
        parameters=CATALOGUE,
    ),
    "catalogue-pattern": Sabotage(
        f"buckets are .'{BOTH}'",
        of_resource("CatalogueRule", PATTERN, [{"Ref": "ImageBuckets"}]),
        parameters={**CATALOGUE, "ImageBuckets": BOTH},
    ),
    "catalogue-recursion": Sabotage(
        "'CatalogueIndexFunction': 'Terminate'",
        without("Resources|CatalogueIndexFunction|Properties|RecursiveLoop"),
        parameters=CATALOGUE,
    ),
    "catalogue-paused": Sabotage(
        "not kept: CatalogueTable",
        put("Resources|CatalogueTable|Condition", "IsCatalogueServing"),
        parameters=CATALOGUE,
    ),
    "catalogue-resumed": Sabotage(
        "is not among",
        of_resource("CatalogueRule", "State", {"Fn::If": ["IsCatalogueServing", "ENABLED", "DISABLED"]}),
        parameters=CATALOGUE,
    ),
    "catalogue-concurrency": Sabotage(
        "MaximumConcurrency is 2, not 3",
        of_resource("CatalogueMapping", "ScalingConfig|MaximumConcurrency", 2),
        parameters=CATALOGUE,
    ),
    "catalogue-bucket-added": Sabotage(
        f"buckets are .'{BUCKET}'.$", of_resource("CatalogueRule", PATTERN, [BUCKET]), parameters=CATALOGUE
    ),
    "catalogue-bucket-removed": Sabotage(
        "not complete: 0 wait",
        of_resource("CatalogueIndexFunction", "Environment|Variables|IMAGE_BUCKETS", BOTH),
        parameters=CATALOGUE,
    ),
    "catalogue-off": Sabotage(
        "left: AWS::SQS::Queue",
        put("Resources|CatalogueQueue|DeletionPolicy", "Retain"),
        parameters=CATALOGUE,
    ),
}
