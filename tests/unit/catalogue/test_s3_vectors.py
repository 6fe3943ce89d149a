"""What S3 Vectors alone does: throttling, refusals of its own, old indexes."""

from collections.abc import Iterator

import pytest

from image_similarity.catalogue.index import TransientError
from image_similarity.catalogue.s3_vectors import S3VectorsIndex
from local.backends.cloud.server import CloudServer
from local.backends.cloud.vector_rules import Refusal, invalid, throttled
from tests.unit.catalogue.conftest import vectors_client
from tests.unit.catalogue.test_index import record, vector

pytestmark = pytest.mark.slow


@pytest.fixture
def refusals(cloud: CloudServer) -> Iterator[list[Refusal]]:
    yield cloud.vectors.refuse_next
    cloud.vectors.refuse_next.clear()


def test_a_throttled_call_is_made_again(s3_vectors: S3VectorsIndex, refusals: list[Refusal]) -> None:
    refusals += [throttled(), Refusal(503, "ServiceUnavailableException", "later")]
    assert s3_vectors.put([record("a.jpg")]) == {}
    assert refusals == []
    assert s3_vectors.get(["s3://photos/a.jpg"])


def test_what_stays_throttled_may_pass(s3_vectors: S3VectorsIndex, refusals: list[Refusal]) -> None:
    refusals += [throttled()] * 50
    with pytest.raises(TransientError, match="TooManyRequests"):
        s3_vectors.put([record("a.jpg")])


def test_an_unreachable_service_may_pass() -> None:
    client = vectors_client("http://127.0.0.1:9")
    client.meta.config.retries["total_max_attempts"] = 1
    with pytest.raises(TransientError):
        S3VectorsIndex(client, "bucket", "index").get(["a"])


def test_halves_find_what_amazon_refuses(s3_vectors: S3VectorsIndex, refusals: list[Refusal]) -> None:
    refusals += [invalid("whatever is wrong")] * 2  # the four, then the first two of them
    assert s3_vectors.put([record(f"{number}.jpg") for number in range(4)]) == {}
    assert len(s3_vectors.page().entries) == 4
    refusals += [invalid("whatever is wrong")] * 3  # the four, the first two, the first
    assert s3_vectors.put([record(f"{number}.jpg") for number in range(4)]) == {
        "s3://photos/0.jpg": "whatever is wrong"
    }


def test_a_defect_is_no_wait(s3_vectors: S3VectorsIndex, refusals: list[Refusal]) -> None:
    from botocore.exceptions import ClientError

    refusals.append(Refusal(403, "AccessDeniedException", "not yours"))
    with pytest.raises(ClientError, match="not yours"):
        s3_vectors.page()


@pytest.mark.parametrize("knows", [True, False], ids=["for the query", "not at all"])
def test_a_prefix_in_an_old_index(
    cloud: CloudServer, s3_vectors: S3VectorsIndex, refusals: list[Refusal], knows: bool
) -> None:
    s3_vectors.put([record(key, vector(number)) for number, key in enumerate(("a/1", "a/2", "b/3"))])
    cloud.vectors.mode = "CLASSIC"
    try:
        if not knows:
            refusals += [invalid("unknown")] * 2
        found = s3_vectors.query(vector(0), 5, "s3://photos/a/")
    finally:
        cloud.vectors.mode = "ENHANCED"
    assert [match.entry.key for match in found] == ["s3://photos/a/1", "s3://photos/a/2"]
