"""Without a catalogue its rows say so, and change nothing."""

from collections.abc import Mapping

import pytest

from tests.infrastructure.stack import assembled
from tests.verification.catalogue import BUCKET, CATALOGUE
from tests.verification.place import SUPPLIED, Place
from tests.verification.test_rows import run
from verify.checks.all import ROWS
from verify.cloud import Cloud
from verify.rows import Result

NAMES = {row.name for row in ROWS if row.name.startswith("catalogue-") and not row.deletes}


def skipped(cloud: Cloud, here: Place, supplied: Mapping[str, str]) -> list[Result]:
    results = run(cloud, [row for row in ROWS if row.name in NAMES], here, supplied)
    assert {item.row.name for item in results} == NAMES
    return [item for item in results if item.verdict == "skipped"]


@pytest.mark.parametrize("state", ["no", "paused"])
def test_what_is_not_there_is_skipped(state: str, here: Place) -> None:
    with here.stack({**CATALOGUE, "Catalogue": state}) as cloud:
        results = skipped(cloud, here, SUPPLIED)
        assert cloud.stack().parameters["Catalogue"] == state
    assert {item.row.name for item in results} == NAMES
    assert {item.seen.split(";")[0] for item in results} == {f"Catalogue is {state}"}


def test_a_template_without_the_parameter_is_skipped(here: Place) -> None:
    assembly = assembled(model="embedded", catalogue="absent")
    with here.stack({}, assembly=assembly) as cloud:
        results = skipped(cloud, here, SUPPLIED)
    assert {item.seen for item in results} == {"the stack has no parameter Catalogue"}


def test_buckets_that_nobody_named_are_left_alone(here: Place) -> None:
    with here.stack({**CATALOGUE, "ImageBuckets": "others"}) as cloud:
        results = skipped(cloud, here, {"CatalogueBucket": BUCKET})
        assert "Contents" not in cloud.engine.cloud.client("s3").list_objects_v2(Bucket=BUCKET)
    assert f"{BUCKET} is none of ImageBuckets" in {item.seen for item in results}
