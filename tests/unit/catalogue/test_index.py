"""One table of tests for both indexes."""

import zlib
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from image_similarity.catalogue.index import Entry, Index, Record, index_name
from image_similarity.inference import similarity
from tests.support.catalogue.pictures import MANIFEST

Vector = NDArray[np.float32]
RANDOM = np.random.default_rng(5)


def vector(seed: int) -> Vector:
    found = np.random.default_rng(seed).standard_normal(512, dtype=np.float32)
    return found / np.float32(np.linalg.norm(found))


def record(key: str, content: Vector | None = None, etag: str = '"1"', size: int = 10) -> Record:
    made = vector(zlib.crc32(key.encode("utf-8", "surrogatepass"))) if content is None else content
    return Record(Entry(f"s3://photos/{key}", etag, size, "2026-11-26T00:00:00Z"), made)


def entries(index: Index, segments: int = 1) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for segment in range(segments):
        token = None
        while True:
            page = index.page(token, segment, segments)
            assert not found.keys() & {entry.key for entry in page.entries}, "an entry stood in two pages"
            found |= {entry.key: entry for entry in page.entries}
            token = page.token
            if token is None:
                break
    return found


def test_what_is_put_is_read(index: Index) -> None:
    records = [record("a.jpg"), record("b c+%20 ü 猫.jpg", etag='"x-2"', size=0)]
    assert index.put(records) == {}
    assert index.get(one.entry.key for one in records) == {one.entry.key: one.entry for one in records}
    assert index.get(["s3://photos/none.jpg"]) == {}
    assert index.get([]) == {}
    for one in records:
        np.testing.assert_array_equal(index.vector(one.entry.key), one.vector)
    assert index.vector("s3://photos/none.jpg") is None


def test_a_put_replaces(index: Index) -> None:
    index.put([record("a.jpg", vector(1))])
    index.put([record("a.jpg", vector(2), etag='"2"')])
    assert {entry.etag for entry in entries(index).values()} == {'"2"'}
    assert [match.similarity for match in index.query(vector(2), 5)] == [1.0]


def test_of_a_repeated_key_the_last_wins(index: Index) -> None:
    assert index.put([record("a.jpg", vector(1)), record("a.jpg", vector(2), etag='"2"')]) == {}
    assert [entry.etag for entry in entries(index).values()] == ['"2"']


def test_what_is_deleted_is_gone(index: Index) -> None:
    index.put([record("a.jpg"), record("b.jpg")])
    index.delete(["s3://photos/a.jpg", "s3://photos/never.jpg"])
    index.delete([])
    assert list(entries(index)) == ["s3://photos/b.jpg"]
    assert [match.entry.key for match in index.query(vector(1), 5)] == ["s3://photos/b.jpg"]
    index.put([record("c.jpg")])
    assert set(entries(index)) == {"s3://photos/b.jpg", "s3://photos/c.jpg"}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: np.zeros(512, dtype=np.float32),
        lambda: np.full(512, 1e-30, dtype=np.float32),
        lambda: np.where(np.arange(512) == 3, np.nan, 1).astype(np.float32),
        lambda: np.where(np.arange(512) == 3, np.inf, 1).astype(np.float32),
        lambda: np.full(512, 1e38, dtype=np.float32),
        lambda: np.ones(511, dtype=np.float32),
    ],
    ids=["zero", "underflow", "nan", "infinite", "overflow", "short"],
)
def test_a_vector_without_direction_keeps_no_other_out(index: Index, wrong: Callable[[], Vector]) -> None:
    refused = index.put([record("a.jpg"), record("wrong.jpg", wrong()), record("b.jpg")])
    assert list(refused) == ["s3://photos/wrong.jpg"]
    assert set(entries(index)) == {"s3://photos/a.jpg", "s3://photos/b.jpg"}
    with pytest.raises(ValueError, match="vector"):
        index.query(wrong(), 3)


def test_keys_of_every_length(index: Index) -> None:
    longest = "ü" * 500 + "x" * 24  # 1,024 bytes with S3, 1,036 with the bucket
    keys = ["a" * 987, "a" * 988, "a" * 989, "a" * 1012, "a" * 1013, longest]
    assert index.put([record(key) for key in keys]) == {}
    assert set(entries(index)) == {f"s3://photos/{key}" for key in keys}
    assert set(index.get(f"s3://photos/{key}" for key in keys)) == {f"s3://photos/{key}" for key in keys}
    index.delete(f"s3://photos/{key}" for key in keys[1:])
    assert set(entries(index)) == {f"s3://photos/{keys[0]}"}


def test_keys_that_no_index_takes(index: Index) -> None:
    empty = Record(Entry("", '"1"', 1, "now"), vector(1))
    assert set(index.put([empty, record("\udc80.jpg"), record("a.jpg")])) == {"", "s3://photos/\udc80.jpg"}
    assert set(entries(index)) == {"s3://photos/a.jpg"}


@pytest.mark.slow
@pytest.mark.parametrize("segments", [1, 3, 16])
def test_a_list_has_every_entry_once(index: Index, segments: int) -> None:
    records = [record(f"{number}.jpg") for number in range(1203)]
    assert index.put(records) == {}
    assert entries(index, segments) == {one.entry.key: one.entry for one in records}
    assert len(index.get(one.entry.key for one in records)) == 1203
    index.delete(one.entry.key for one in records)
    assert entries(index, segments) == {}


def test_the_nearest_first(index: Index) -> None:
    records = [record(f"{number}.jpg", vector(number)) for number in range(300)]
    index.put(records)
    query = vector(7) + 0.5 * vector(1000)
    exact = sorted((-similarity.score(query, one.vector), one.entry.key) for one in records)
    for limit in (1, 10, 100):
        found = index.query(query, limit)
        assert [match.entry.key for match in found] == [key for _, key in exact[:limit]]
        assert [match.similarity for match in found] == pytest.approx(
            [-score for score, _ in exact[:limit]], abs=1e-6
        )


def test_a_picture_finds_itself_at_exactly_one(index: Index) -> None:
    records = [record(f"{number}.jpg", vector(number)) for number in range(50)]
    index.put(records)
    for one in records:
        best = index.query(one.vector, 1)[0]
        assert (best.entry, best.similarity) == (one.entry, 1.0)


def test_the_opposite_is_zero_and_not_less(index: Index) -> None:
    index.put([record("a.jpg", -vector(1))])
    assert index.query(vector(1), 1)[0].similarity == 0.0


def test_the_length_of_a_vector_does_not_count(index: Index) -> None:
    index.put([record("a.jpg", vector(1) * np.float32(250)), record("b.jpg", vector(2))])
    assert index.query(vector(1) * np.float32(0.001), 1)[0].similarity == 1.0


def test_equal_pictures_are_ordered_by_key(index: Index) -> None:
    names = [f"{number:03}.jpg" for number in RANDOM.permutation(9)]
    index.put([record(name, vector(1)) for name in names])
    found = index.query(vector(1), 5)
    assert [match.entry.key for match in found] == [f"s3://photos/{number:03}.jpg" for number in range(5)]


def test_a_query_of_an_empty_index(index: Index) -> None:
    assert index.query(vector(1), 10) == []
    index.put([record("a.jpg")])
    index.delete(["s3://photos/a.jpg"])
    assert index.query(vector(1), 10) == []
    assert index.query(vector(1), 10, "s3://photos/") == []


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("s3://photos/", {"a/1", "a/2", "a_/3", "b%/4", "ü/5"}),
        ("s3://photos/a/", {"a/1", "a/2"}),
        ("s3://photos/a", {"a/1", "a/2", "a_/3"}),
        ("s3://photos/a_", {"a_/3"}),
        ("s3://photos/b%", {"b%/4"}),
        ("s3://photos/ü", {"ü/5"}),
        ("s3://other/", set()),
    ],
)
def test_a_prefix(index: Index, prefix: str, keys: set[str]) -> None:
    index.put([record(key) for key in ("a/1", "a/2", "a_/3", "b%/4", "ü/5")])
    found = index.query(vector(1), 10, prefix)
    assert {match.entry.key for match in found} == {f"s3://photos/{key}" for key in keys}


def test_a_model_has_an_index_of_its_own() -> None:
    name = index_name(MANIFEST)
    assert name.startswith("pictures-")
    assert len(name) == 17
    assert index_name(replace(MANIFEST, parity={"cosine_min": 1.0})) == name
    assert index_name(replace(MANIFEST, tried={"dynamic": 0.9})) == name
    assert index_name(replace(MANIFEST, halves={"model.first.onnx": "0", "model.second.onnx": "0"})) == name
    others = [
        replace(MANIFEST, model="other"),
        replace(MANIFEST, pretrained="other"),
        replace(MANIFEST, precision="int8"),
        replace(MANIFEST, sha256="1" * 64),
        replace(MANIFEST, weights_sha256="1" * 64),
        replace(MANIFEST, opset=21),
        replace(MANIFEST, preprocessing=replace(MANIFEST.preprocessing, draft_factor=3)),
    ]
    assert len({name, *map(index_name, others)}) == len(others) + 1
