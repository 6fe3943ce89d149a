"""A catalogue's calls, and objects that come and go in a bucket that it follows."""

from collections.abc import Mapping
from typing import Any

from verify.answers import Differs, Skipped, expect, read
from verify.subject import Subject

PARAMETER = "Catalogue"
SEARCH = "/catalogue/search"
INDEX_SECONDS = 90


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


def methods(subject: Subject) -> set[tuple[str, str, str]]:
    """The API's methods that are the catalogue's."""
    return {item for item in subject.services.methods(subject.api) if item[1].startswith("/catalogue")}


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
