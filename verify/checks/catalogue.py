"""The catalogue, where the stack has one: docs/calling.md. Its calls, and what its services were given."""

from verify.answers import Differs, expect, read, refusal, same
from verify.checks.catalogue_calls import (
    SEARCH,
    catalogue_status,
    come_and_gone,
    listed,
    methods,
    named,
    on,
)
from verify.checks.stack import host
from verify.rows import Backend, Row
from verify.subject import Subject

KEY = "image-similarity-verify/picture.jpg"
LONG_KEYS = "image-similarity-verify"
SYNC_SECONDS = 600
CALLS = (
    # method, path, authorization where it is not the parameter's
    ("GET", "/catalogue", ""),
    ("POST", SEARCH, ""),
    ("POST", "/catalogue/sync", "AWS_IAM"),
)
LONGEST_KEY_BYTES = 1024
"""Of an object's key: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html"""
DIMENSIONS, METRIC = 512, "cosine"


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
        "a new object, then deleted",
        "found within a minute, then gone",
        new_object,
        ON,
        needs=("CatalogueBucket",),
        why="S3 sends events only if EventBridge is turned on for the bucket",
    ),
    Row(
        "catalogue-long-key",
        "objects with keys of 1,024 bytes",
        "found under their names, then gone",
        long_key,
        ON,
        needs=("CatalogueBucket",),
        why="whether S3 Vectors counts a key's 1,024 as bytes or characters is not documented",
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
        why="what CloudFormation passes to EventBridge is not documented",
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
