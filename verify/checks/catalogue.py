"""The catalogue, where the stack has one: docs/calling.md. Its calls, and what its services were given."""

from collections.abc import Mapping
from typing import Any

from verify.answers import Differs, Skipped, expect, read, refusal
from verify.rows import Backend, Row
from verify.subject import Subject

PARAMETER = "Catalogue"
KEY = "image-similarity-verify/picture.jpg"
SYNC_SECONDS, INDEX_SECONDS = 600, 90


def on(subject: Subject) -> None:
    """Raise Skipped where no catalogue is there to be looked at."""
    if PARAMETER not in subject.parameters:
        raise Skipped(f"the stack has no parameter {PARAMETER}")
    if subject.parameters[PARAMETER] != "yes":
        raise Skipped(
            f"{PARAMETER} is {subject.parameters[PARAMETER]}; it needs ImageBuckets: set both, and run again"
        )


def _status(subject: Subject) -> dict[str, Any]:
    return read(expect(subject.call("GET", "/catalogue"), 200))


def status(subject: Subject) -> str:
    """What is catalogued, and how far it is."""
    on(subject)
    told = _status(subject)
    missing = {"model", "buckets", "pending", "failed", "complete", "lastSync"} - told.keys()
    if missing:
        raise Differs(f"without {', '.join(sorted(missing))}")
    buckets = [name for name in subject.parameters["ImageBuckets"].split(",") if name]
    if sorted(told["buckets"]) != sorted(buckets):
        raise Differs(f"buckets {told['buckets']}")
    return f"{told['pending']} wait, {told['failed']} failed, complete: {told['complete']}"


def search(subject: Subject) -> str:
    """A search by a picture."""
    on(subject)
    answer = expect(
        subject.call("POST", "/catalogue/search", {"img": subject.pictures.first, "limit": 5}), 200
    )
    found = read(answer)
    scores = [match["similarity"] for match in found["matches"]]
    if scores != sorted(scores, reverse=True) or len(scores) > 5 or "complete" not in found:
        raise Differs(f"similarities {scores}")
    absent = subject.call("POST", "/catalogue/search", {"key": "s3://absent/absent.jpg"})
    return (
        f"{len(scores)} matches, best first; {refusal(absent, 404, 'NotFound')} for a key that is not indexed"
    )


def sync(subject: Subject) -> str:
    """A sync is always signed, accepted, and ends."""
    on(subject)
    refusal(subject.call("POST", "/catalogue/sync", {}, signed=False), 403, "Forbidden")
    expect(subject.call("POST", "/catalogue/sync", {}, signed=True), 202)

    def look() -> str:
        told = _status(subject)
        if not told["complete"]:
            raise Differs(f"not complete: {told['pending']} wait, {told['failed']} failed")
        return f"202, complete; last sync {told['lastSync']}"

    return subject.until(SYNC_SECONDS, look)


def new_object(subject: Subject) -> str:
    """A new object is found within a minute, a deleted one no more: events, rule, queue, function, index."""
    on(subject)
    bucket = subject.supplied["CatalogueBucket"]
    name = f"s3://{bucket}/{KEY}"
    subject.services.put_object(bucket, KEY, subject.pictures.first_file)
    try:
        subject.until(INDEX_SECONDS, lambda: _found(subject, name, there=True), 5.0)
    finally:
        subject.services.delete_object(bucket, KEY)
    subject.until(INDEX_SECONDS, lambda: _found(subject, name, there=False), 5.0)
    return f"found after {subject.cloud.now() - subject.began:.0f} s at most, and gone when it was deleted"


def _found(subject: Subject, name: str, *, there: bool) -> None:
    body: Mapping[str, Any] = {"img": subject.pictures.first, "limit": 100, "min_similarity": 0.999}
    matches = read(expect(subject.call("POST", "/catalogue/search", body), 200))["matches"]
    if (name in {match["key"] for match in matches}) != there:
        raise Differs(f"{name} is {'not ' if there else 'still '}among {len(matches)} matches")


def pattern(subject: Subject) -> str:
    """The rule names the buckets, one by one, as Fn::Split made them."""
    on(subject)
    seen = subject.services.event_pattern(subject.one("AWS::Events::Rule"))["detail"]["bucket"]["name"]
    wanted = [name for name in subject.parameters["ImageBuckets"].split(",") if name]
    if seen != wanted:
        raise Differs(f"the rule's buckets are {seen}")
    return f"{len(seen)} buckets, one by one"


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
