"""The catalogue, where the stack has one: docs/calling.md. Its calls, and what its services were given."""

from collections.abc import Mapping
from typing import Any

from verify.answers import Differs, Skipped, expect, read, refusal, same
from verify.checks.stack import host
from verify.rows import Backend, Row
from verify.subject import Subject

PARAMETER = "Catalogue"
KEY = "image-similarity-verify/picture.jpg"
LONG_KEYS = "image-similarity-verify"
SYNC_SECONDS, INDEX_SECONDS = 600, 90
SEARCH = "/catalogue/search"
CALLS = (
    # method, path, authorization where it is not the parameter's
    ("GET", "/catalogue", ""),
    ("POST", SEARCH, ""),
    ("POST", "/catalogue/sync", "AWS_IAM"),
)
LONGEST_KEY_BYTES = 1024
"""Of an object's key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
DIMENSIONS, METRIC = 512, "cosine"


def on(subject: Subject) -> None:
    """Raise Skipped where no catalogue is there to be looked at."""
    if PARAMETER not in subject.parameters:
        raise Skipped(f"the stack has no parameter {PARAMETER}")
    if subject.parameters[PARAMETER] != "yes":
        raise Skipped(
            f"{PARAMETER} is {subject.parameters[PARAMETER]}; it needs ImageBuckets: set both, and run again"
        )


def catalogue_status(subject: Subject) -> dict[str, Any]:
    """What the catalogue says of itself. Raises Differs."""
    return read(expect(subject.call("GET", "/catalogue"), 200))


def status(subject: Subject) -> str:
    """What is catalogued, and how far it is."""
    on(subject)
    told = catalogue_status(subject)
    missing = {"model", "buckets", "pending", "failed", "complete", "lastSync"} - told.keys()
    if missing:
        raise Differs(f"without {', '.join(sorted(missing))}")
    if sorted(told["buckets"]) != sorted(named(subject)):
        raise Differs(f"buckets {told['buckets']}")
    return f"{told['pending']} wait, {told['failed']} failed, complete: {told['complete']}"


def routes(subject: Subject) -> str:
    """The calls, with their authorization, and where to search."""
    on(subject)
    authorization = subject.parameters["APIGatewayAuthorization"]
    wanted = {("OPTIONS", path, "NONE") for _, path, _ in CALLS}
    wanted |= {(method, path, signed or authorization) for method, path, signed in CALLS}
    seen = methods(subject)
    if seen != wanted:
        raise Differs(f"too many: {sorted(seen - wanted)}, missing: {sorted(wanted - seen)}")
    same("CatalogueSearch", f"https://{host(subject)}/{subject.stage}{SEARCH}", _output(subject))
    return f"{len(seen)} methods, and the address of searches"


def methods(subject: Subject) -> set[tuple[str, str, str]]:
    """The API's methods that are the catalogue's."""
    return {item for item in subject.services.methods(subject.api) if item[1].startswith("/catalogue")}


def _output(subject: Subject) -> str | None:
    return subject.stack.outputs.get("CatalogueSearch")


def search(subject: Subject) -> str:
    """A search by a picture."""
    on(subject)
    answer = expect(subject.call("POST", SEARCH, {"img": subject.pictures.first, "limit": 5}), 200)
    found = read(answer)
    scores = [match["similarity"] for match in found["matches"]]
    if scores != sorted(scores, reverse=True) or len(scores) > 5 or "complete" not in found:
        raise Differs(f"similarities {scores}")
    absent = subject.call("POST", SEARCH, {"key": "s3://absent/absent.jpg"})
    return (
        f"{len(scores)} matches, best first; {refusal(absent, 404, 'NotFound')} for a key that is not indexed"
    )


def sync(subject: Subject) -> str:
    """A sync is always signed, accepted, and ends."""
    on(subject)
    refusal(subject.call("POST", "/catalogue/sync", {}, signed=False), 403, "Forbidden")
    begun = read(expect(subject.call("POST", "/catalogue/sync", {}, signed=True), 202))

    def look() -> str:
        told = catalogue_status(subject)
        last = told["lastSync"] or {}
        if last.get("id") != begun["id"] or last["ended"] is None or not told["complete"]:
            raise Differs(f"not complete: {told['pending']} wait, {told['failed']} failed; last sync {last}")
        return f"202, complete; {last['listed']} listed, {last['queued']} queued"

    return subject.until(SYNC_SECONDS, look)


def new_object(subject: Subject) -> str:
    """A new object is found within a minute, a deleted one no more: events, rule, queue, function, index."""
    on(subject)
    come_and_gone(subject, listed(subject), KEY)
    return f"found and gone within {subject.cloud.now() - subject.began:.0f} s"


def long_key(subject: Subject) -> str:
    """An object whose key is as long as S3 allows, in letters of one byte and in letters of two."""
    on(subject)
    bucket = listed(subject)
    for letter in ("a", "\u00fc"):
        left = LONGEST_KEY_BYTES - len(f"{LONG_KEYS}/".encode())
        come_and_gone(subject, bucket, f"{LONG_KEYS}/{letter * (left // len(letter.encode()))}")
    return f"found under keys of {LONGEST_KEY_BYTES} bytes, and gone when they were deleted"


def listed(subject: Subject) -> str:
    """The bucket that rows may write to. Raises Skipped where the catalogue does not follow it."""
    bucket = subject.supplied["CatalogueBucket"]
    if bucket not in named(subject):
        raise Skipped(f"{bucket} is none of ImageBuckets")
    return bucket


def named(subject: Subject) -> list[str]:
    """The buckets that the catalogue follows."""
    return [name for name in subject.parameters["ImageBuckets"].split(",") if name]


def come_and_gone(subject: Subject, bucket: str, key: str) -> None:
    """Write an object and wait until it is found, delete it and wait until it is not."""
    subject.services.put_object(bucket, key, subject.pictures.first_file)
    try:
        found(subject, bucket, key, there=True)
    finally:
        subject.services.delete_object(bucket, key)
    found(subject, bucket, key, there=False)


def found(subject: Subject, bucket: str, key: str, *, there: bool, seconds: float = INDEX_SECONDS) -> None:
    """Wait until a search finds an object of the first picture, or finds it no more. Raises Differs."""
    subject.until(seconds, lambda: _found(subject, f"s3://{bucket}/{key}", there=there), 5.0)


def _found(subject: Subject, name: str, *, there: bool) -> None:
    body: Mapping[str, Any] = {"img": subject.pictures.first, "limit": 100, "min_similarity": 0.999}
    matches = read(expect(subject.call("POST", SEARCH, body), 200))["matches"]
    if (name in {match["key"] for match in matches}) != there:
        raise Differs(f"{name} is {'not ' if there else 'still '}among {len(matches)} matches")


def pattern(subject: Subject) -> str:
    """The rule names the buckets, one by one, as Fn::Split made them."""
    on(subject)
    seen = subject.services.event_pattern(subject.one("AWS::Events::Rule"))["detail"]["bucket"]["name"]
    if seen != named(subject):
        raise Differs(f"the rule's buckets are {seen}")
    return f"{len(seen)} buckets, one by one"


def index(subject: Subject) -> str:
    """The index is of the model's shape, in a bucket named after the stack's id."""
    on(subject)
    [arn] = [item.physical for item in subject.stack.of_type("AWS::S3Vectors::Index")]
    seen = subject.services.vector_index(arn)
    part = subject.stack.id.rsplit("/", 1)[-1].partition("-")[0]
    same("vector bucket", f"image-similarity-{part}", seen.bucket)
    return f"{same('dimension', DIMENSIONS, seen.dimension)}, {same('metric', METRIC, seen.metric)}"


def recursion(subject: Subject) -> str:
    """The indexing function may go on by messages to itself."""
    on(subject)
    names = [item.name for item in subject.stack.of_type("AWS::Lambda::EventSourceMapping")]
    if not names:
        raise Differs("nothing maps a queue to a function")
    indexers = [
        name
        for name, item in subject.stack.resources.items()
        if "Catalogue" in name and item.type == "AWS::Lambda::Function"
    ]
    modes = {name: subject.services.recursion(subject.named(name)) for name in indexers}
    if "Allow" not in modes.values():
        raise Differs(f"{modes}")
    return ", ".join(f"{name}: {mode}" for name, mode in sorted(modes.items()))


ON: tuple[Backend, ...] = ("lambda",)
ROWS = (
    Row(
        "catalogue-routes",
        "the catalogue's calls",
        "`AWS_IAM` or `NONE` as the parameter says, `AWS_IAM` always for a sync",
        routes,
        ON,
        quick=True,
        why="as for `routes`",
    ),
    Row(
        "catalogue-status",
        "`GET /catalogue`",
        "the model, the buckets of the parameter, what waits and what failed",
        status,
        ON,
        quick=True,
    ),
    Row(
        "catalogue-search",
        "a search by a picture",
        "matches, best first; 404 `NotFound` for a key that is not indexed",
        search,
        ON,
        quick=True,
    ),
    Row("catalogue-sync", "a sync", "403 unsigned, 202 signed; complete within ten minutes", sync, ON),
    Row(
        "catalogue-object",
        "an object that is new, then deleted",
        "found within a minute, then gone",
        new_object,
        ON,
        needs=("CatalogueBucket",),
        why="S3's events need EventBridge switched on for the bucket",
    ),
    Row(
        "catalogue-long-key",
        "objects with keys of 1,024 bytes",
        "found under their names, then gone",
        long_key,
        ON,
        needs=("CatalogueBucket",),
        why="S3 Vectors counts a key's 1,024 in what the documentation does not say: bytes or characters",
    ),
    Row(
        "catalogue-index",
        "the index, and its bucket's name",
        "512 dimensions, cosine; `image-similarity-` and a part of the stack's id",
        index,
        ON,
        quick=True,
        why="S3 Vectors is not in every region, and not described for China",
    ),
    Row(
        "catalogue-pattern",
        "`Fn::Split` inside the rule's pattern",
        "the buckets, one by one",
        pattern,
        ON,
        quick=True,
        why="what CloudFormation hands to EventBridge is not documented",
    ),
    Row(
        "catalogue-recursion",
        "`RecursiveLoop` of the indexing function",
        "`Allow`",
        recursion,
        ON,
        quick=True,
        why="regions without loop detection (China, GovCloud) may refuse the property",
    ),
)
