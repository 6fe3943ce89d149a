import json
from dataclasses import replace
from typing import Any

import pytest

from image_similarity.catalogue.index import Index
from image_similarity.catalogue.ledger import Failure
from image_similarity.catalogue.ledger_file import FileLedger
from image_similarity.catalogue.messages import Changed
from image_similarity.catalogue.search import Query, Search, parse
from image_similarity.catalogue.status import Catalogue
from image_similarity.inference.errors import InvalidRequest, NotFound
from tests.support.catalogue.queue import MemoryQueue
from tests.unit.catalogue.test_index import record, vector
from tests.unit.catalogue.test_ledger import STATE

DONE = replace(STATE, outcome="done", ended=90.0)


def catalogue(ledger: FileLedger, **changed: Any) -> Catalogue:
    return replace(Catalogue("embedded/x", STATE.index, STATE.roots, ledger), **changed)


def test_fields() -> None:
    assert parse({"url": "https://example.com/a.jpg"}) == Query(
        "url", "https://example.com/a.jpg", 10, 0.0, "", False
    )
    asked = {
        "key": "s3://photos/a.jpg",
        "limit": 100,
        "min_similarity": 1,
        "prefix": "s3://photos/",
        "links": True,
    }
    assert parse(asked) == Query("key", "s3://photos/a.jpg", 100, 1.0, "s3://photos/", True)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Nothing to search by"),
        ({"url": "u", "img": "i"}, "url and img to search by"),
        ({"url": "u", "limits": 3}, 'Unknown field "limits": a search has url, img'),
        ({"url": "u", "x" * 999: 3}, '...": a search has'),
        ({"url": None}, "url: found null, expected a string"),
        ({"key": 3}, "key: found 3, expected a string"),
        ({"text": ""}, "text: empty"),
        ({"img": ["x"]}, "img: found an array"),
        *(
            ({"url": "u", "limit": limit}, "limit: found")
            for limit in (0, 101, -1, 1.5, "10", True, None, 10**30)
        ),
        *(
            ({"url": "u", "min_similarity": share}, "min_similarity: found")
            for share in (-0.1, 1.1, "1", True, None, float("nan"), float("inf"), 10**400)
        ),
        *(
            ({"url": "u", "prefix": prefix}, "prefix: ")
            for prefix in ("", "photos/", "s3://photos", "s3:///a", 3, None)
        ),
        *(({"url": "u", "links": links}, "links: found") for links in ("true", 1, None)),
    ],
)
def test_what_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        parse(fields)
    assert message in str(refusal.value)
    assert len(str(refusal.value)) < 250


def test_an_answer(index: Index) -> None:
    index.put([record(f"{number}.jpg", vector(number)) for number in range(20)])
    search, ledger = Search(index, catalogue(ledger := FileLedger())), ledger
    answer = search.answer(Query("url", "u", limit=3), vector(4))
    assert answer["complete"] is False
    assert len(answer["matches"]) == 3
    assert answer["matches"][0] == {
        "key": "s3://photos/4.jpg",
        "similarity": 1.0,
        "size": 10,
        "modified": "2026-11-26T00:00:00Z",
        "etag": '"1"',
    }
    json.dumps(answer)
    ledger.save(DONE, None)
    by_key = search.answer(Query("key", "s3://photos/4.jpg", limit=3))
    assert by_key == answer | {"complete": True}
    assert len(search.answer(Query("key", "s3://photos/4.jpg", min_similarity=0.9))["matches"]) == 1
    least = answer["matches"][2]["similarity"]
    assert len(search.answer(Query("key", "s3://photos/4.jpg", min_similarity=least))["matches"]) == 3
    assert search.answer(Query("key", "s3://photos/4.jpg", prefix="s3://photos/1"))["matches"][0][
        "key"
    ].startswith("s3://photos/1")


def test_a_key_that_is_not_indexed(index: Index) -> None:
    with pytest.raises(NotFound, match="key: no picture"):
        Search(index, catalogue(FileLedger())).answer(Query("key", "s3://photos/none.jpg"))


@pytest.mark.parametrize(
    ("last", "changed", "complete"),
    [
        (DONE, {}, True),
        (DONE, {"index": "pictures-11111111"}, False),
        (DONE, {"roots": ("s3://photos/",)}, False),
        (DONE, {"roots": STATE.roots[::-1]}, True),
        (DONE, {"roots": (*STATE.roots, "s3://more/")}, False),
        (STATE, {}, False),
        (replace(DONE, outcome="expired"), {}, False),
        (replace(DONE, prefix="s3://photos/a"), {}, False),
    ],
)
def test_complete(last: Any, changed: dict[str, Any], complete: bool) -> None:
    ledger = FileLedger()
    ledger.save(last, None)
    assert catalogue(ledger, **changed).complete() is complete


def test_a_status() -> None:
    ledger, queue = FileLedger(), MemoryQueue()
    empty = catalogue(ledger).status(queue, failures=True)
    assert empty == {
        "model": "embedded/x",
        "buckets": ["photos", "albums"],
        "pending": 0,
        "failed": 0,
        "complete": False,
        "lastSync": None,
        "failures": [],
    }
    queue.send([Changed("s3://photos/a.jpg")])
    ledger.fail([Failure("s3://photos/b.jpg", '"1"', "It is broken.", "x", 3.0)])
    ledger.save(DONE, None)
    status = catalogue(ledger).status(queue, failures=True)
    assert status["failures"] == [{"key": "s3://photos/b.jpg", "message": "It is broken."}]
    assert (status["pending"], status["failed"], status["complete"]) == (1, 1, True)
    assert status["lastSync"] == {
        "id": "r1",
        "state": "done",
        "prefix": None,
        "started": "1970-01-01T00:00:01Z",
        "ended": "1970-01-01T00:01:30Z",
        "listed": 0,
        "queued": 0,
    }
    assert "failures" not in catalogue(ledger).status(queue, failures=False)
