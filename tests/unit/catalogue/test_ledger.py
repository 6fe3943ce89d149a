"""One table of tests for both ledgers."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from image_similarity.catalogue.ledger import Failure, Ledger, SyncState
from image_similarity.catalogue.messages import Listing

STATE = SyncState(
    run="r1",
    index="pictures-00000000",
    roots=("s3://photos/", "s3://albums/"),
    prefix="",
    started=1.5,
    deadline=1e9,
    touched=1.5,
    step=Listing("r1", 3, "vectors", "token", 1),
)


def failure(key: str, at: float = 1.25, etag: str = '"1"') -> Failure:
    return Failure(f"s3://photos/{key}", etag, f"{key} is broken", "1.0.0/pictures-00000000", at)


def pages(ledger: Ledger) -> list[Failure]:
    found, token = ledger.page()
    while token:
        more, token = ledger.page(token)
        found += more
    return found


def test_failures_are_kept_and_forgotten(ledger: Ledger) -> None:
    first, second = failure("a.jpg"), failure("ü/" + "long/" * 200, 2.5)
    ledger.fail([first, second])
    assert ledger.known([first.key, second.key, "s3://photos/none"]) == {first.key: first, second.key: second}
    assert (ledger.newest(), ledger.failed()) == ([second, first], 2)
    assert sorted(pages(ledger), key=lambda one: one.key) == [first, second]
    ledger.forget([first.key, "s3://photos/none"])
    ledger.forget([first.key])
    assert (ledger.newest(), ledger.failed()) == ([second], 1)
    assert ledger.known([]) == {}


def test_a_key_fails_once(ledger: Ledger) -> None:
    ledger.fail([failure("a.jpg")])
    again = failure("a.jpg", 9.0, '"2"')
    ledger.fail([again])
    assert (ledger.newest(), ledger.failed()) == ([again], 1)


@pytest.mark.slow
def test_the_newest_are_shown(ledger: Ledger) -> None:
    made = [failure(f"{number}.jpg", float(number)) for number in range(130)]
    ledger.fail(made)
    assert ledger.newest() == made[:-101:-1]
    assert ledger.failed() == 130
    assert len(pages(ledger)) == 130
    assert len(ledger.known(one.key for one in made)) == 130


def test_a_sync_is_written_by_who_read_it(ledger: Ledger) -> None:
    assert ledger.sync() is None
    assert ledger.save(STATE, None)
    assert ledger.sync() == STATE
    assert not ledger.save(replace(STATE, run="r2"), None)
    further = replace(STATE, listed=10)
    assert ledger.save(further, STATE)
    assert not ledger.save(replace(STATE, listed=5), STATE)
    assert (ledger.sync(), ledger.completed()) == (further, None)


@pytest.mark.parametrize(
    ("ended", "completes"),
    [
        ({"outcome": "done"}, True),
        ({"outcome": "expired"}, False),
        ({"outcome": "done", "prefix": "s3://p/"}, False),
    ],
)
def test_what_completes_is_kept(ledger: Ledger, ended: dict[str, str], completes: bool) -> None:
    done = replace(STATE, ended=3.0, **ended)  # type: ignore[arg-type]
    ledger.save(done, None)
    ledger.save(STATE, done)
    assert ledger.completed() == (done if completes else None)
    assert ledger.sync() == STATE


def test_of_many_only_one_begins(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda n: ledger.save(replace(STATE, run=f"r{n}"), None), range(8)))
    assert begun.count(True) == 1


@pytest.mark.slow
def test_many_count_together(ledger: Ledger) -> None:
    def one(number: int) -> None:
        ledger.fail([failure(f"{number % 10}.jpg")])
        if number % 10 >= 5:
            ledger.forget([failure(f"{number % 10}.jpg").key])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(40)))
    assert ledger.failed() == len(pages(ledger))
