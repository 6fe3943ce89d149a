"""Changes of the catalogue's parameters: nothing is lost while it is paused, buckets come and go."""

from collections.abc import Mapping
from dataclasses import replace

from verify.answers import Differs, Skipped, expect, same
from verify.checks.catalogue import ON, pattern, sync
from verify.checks.catalogue_calls import (
    PARAMETER,
    catalogue_status,
    come_and_gone,
    found,
    listed,
    methods,
    named,
    on,
)
from verify.checks.parameters import other
from verify.rows import Row
from verify.subject import Subject

KEY = "image-similarity-verify/while-paused.jpg"
OTHER_KEY = "image-similarity-verify/of-the-other-bucket.jpg"
RESUMED_SECONDS = 300
PAUSED = {PARAMETER: "paused"}


def pause(subject: Subject) -> Mapping[str, str]:
    """Pause a catalogue that works."""
    on(subject)
    return PAUSED


def paused(subject: Subject) -> str:
    """The calls are gone; index, ledger, queues and rule are those of before."""
    expect(subject.call("GET", "/catalogue"), 403)
    left = sorted(methods(subject))
    if left:
        raise Differs(f"still served: {left}")
    kept = {name: item.physical for name, item in subject.stack.resources.items()}
    lost = sorted(name for name, physical in subject.kept["catalogue"].items() if kept.get(name) != physical)
    if lost:
        raise Differs(f"not kept: {', '.join(lost)}")
    return f"403; {', '.join(sorted(subject.kept['catalogue']))} are as before"


def resume(subject: Subject) -> Mapping[str, str]:
    """Write an object while nothing indexes, and go on."""
    subject.services.put_object(listed(subject), KEY, subject.pictures.first_file)
    return {PARAMETER: "yes"}


def resumed(subject: Subject) -> str:
    """What was written while the catalogue was paused is found once it goes on."""
    bucket = listed(subject)
    try:
        _worked(subject)
        found(subject, bucket, KEY, there=True, seconds=RESUMED_SECONDS)
    finally:
        subject.services.delete_object(bucket, KEY)
    found(subject, bucket, KEY, there=False)
    return "found without a sync"


def _worked(subject: Subject) -> None:
    """Raise Differs where the change before has failed."""
    outcome = subject.outcome
    if outcome is not None and not outcome.worked:
        raise Differs(f"the change failed, {outcome.status}: {outcome.reason}")


def another_concurrency(subject: Subject) -> Mapping[str, str]:
    """Another CatalogueConcurrency."""
    on(subject)
    return other("CatalogueConcurrency", "3", "4")(subject)


def concurrency(subject: Subject) -> str:
    """The mapping has it."""
    wanted = int(subject.parameters["CatalogueConcurrency"])
    seen = subject.services.concurrency(subject.one("AWS::Lambda::EventSourceMapping"))
    return same("MaximumConcurrency", wanted, seen)


def add_bucket(subject: Subject) -> Mapping[str, str]:
    """One bucket more."""
    on(subject)
    bucket = subject.supplied["OtherCatalogueBucket"]
    if bucket in named(subject):
        raise Skipped(f"{bucket} is one of ImageBuckets already")
    return {"ImageBuckets": ",".join([*named(subject), bucket])}


def bucket_added(subject: Subject) -> str:
    """It is followed, and the catalogue is not complete until a sync has been through it."""
    bucket = subject.supplied["OtherCatalogueBucket"]
    pattern(subject)
    same("complete", expected=False, seen=catalogue_status(subject)["complete"])
    come_and_gone(subject, bucket, OTHER_KEY)
    return f"followed; {sync(subject)}"


def remove_bucket(subject: Subject) -> Mapping[str, str]:
    """The bucket of the step before goes again, with a picture of it in the index."""
    bucket = subject.supplied["OtherCatalogueBucket"]
    subject.services.put_object(bucket, OTHER_KEY, subject.pictures.first_file)
    try:
        found(subject, bucket, OTHER_KEY, there=True)
    except BaseException:
        subject.services.delete_object(bucket, OTHER_KEY)
        raise
    return {"ImageBuckets": ",".join(name for name in named(subject) if name != bucket)}


def bucket_removed(subject: Subject) -> str:
    """A sync takes its pictures out of the index, while they are still in the bucket."""
    bucket = subject.supplied["OtherCatalogueBucket"]
    try:
        _worked(subject)
        pattern(subject)
        seen = sync(subject)
        found(subject, bucket, OTHER_KEY, there=False)
    finally:
        subject.services.delete_object(bucket, OTHER_KEY)
    return f"{seen}; its picture is found no more"


def off(subject: Subject) -> str:
    """Without the catalogue nothing is left of it, and the API is as before."""
    on(subject)
    before = subject.stack
    outcome = subject.cloud.update({PARAMETER: "no"}, lambda: None)
    if not outcome.worked:
        raise Differs(f"{outcome.status}: {outcome.reason}")
    after = subject.cloud.stack()
    gone = {name: item for name, item in before.resources.items() if name not in after.resources}
    expect(subject.call("GET", "/catalogue"), 403)
    expect(subject.post({"img": subject.pictures.first}), 200)

    def look() -> str:
        left = subject.cloud.leftovers(replace(before, resources=gone))
        if left:
            raise Differs(f"left: {', '.join(left)}")
        return f"nothing of {len(gone)} resources"

    return subject.until(120, look)


BOTH = ("CatalogueBucket", "OtherCatalogueBucket")
ROWS = (
    Row(
        "catalogue-paused",
        "`Catalogue=paused`",
        "the calls are gone; index, table, queues and rule stay",
        paused,
        ON,
        (pause,),
        (PARAMETER,),
    ),
    Row(
        "catalogue-resumed",
        "an object added while the catalogue is paused",
        "found once `Catalogue` is `yes` again, without a sync",
        resumed,
        ON,
        (pause, resume),
        (PARAMETER,),
        needs=("CatalogueBucket",),
        fails=True,
        why="mapping, queue and rule are eventually consistent",
    ),
    Row(
        "catalogue-concurrency",
        "`CatalogueConcurrency` changed",
        "the event source mapping has it",
        concurrency,
        ON,
        (another_concurrency,),
        ("CatalogueConcurrency",),
    ),
    Row(
        "catalogue-bucket-added",
        "a bucket added to `ImageBuckets`",
        "the rule names it, its new objects are found, and a sync is complete again",
        bucket_added,
        ON,
        (add_bucket,),
        ("ImageBuckets",),
        needs=BOTH,
    ),
    Row(
        "catalogue-bucket-removed",
        "a bucket removed from `ImageBuckets`",
        "after a sync its pictures are no longer found",
        bucket_removed,
        ON,
        (add_bucket, remove_bucket),
        ("ImageBuckets",),
        needs=BOTH,
        fails=True,
    ),
)
AT_THE_END = (
    Row(
        "catalogue-off",
        "`Catalogue=no`, which deletes the index",
        "nothing is left of the catalogue, and the API answers as before",
        off,
        deletes=True,
        why="CloudFormation deletes the index and its bucket in an order set only by their references",
    ),
)
