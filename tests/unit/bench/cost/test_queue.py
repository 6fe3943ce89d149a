"""The simulated queue: which limit binds, and what new pictures wait."""

import pytest

from bench.cost.queue import BATCH, WINDOW, Setting, simulate
from image_similarity.catalogue.sync import Pace

SECONDS = 0.055


def test_few_functions_bind_themselves() -> None:
    course = simulate(1_000_000, Setting(2, SECONDS))
    assert course.limit == "functions"
    assert course.rate == pytest.approx(2 / SECONDS - 1, rel=0.01)
    assert course.hours == pytest.approx(1_000_000 / course.rate / 3600)


def test_the_list_binds_many_functions() -> None:
    course = simulate(1_000_000, Setting(50, SECONDS))
    assert course.limit == "the list"
    assert course.rate < 50 / SECONDS
    more = simulate(1_000_000, Setting(100, SECONDS))
    assert more.rate == pytest.approx(course.rate, rel=0.01)


def test_the_writes_bind_where_the_list_does_not() -> None:
    quick = Pace(backlog=1_000_000, pages=1000)
    course = simulate(1_000_000, Setting(1000, SECONDS, pace=quick))
    assert course.limit == "writes"
    assert course.rate == pytest.approx(2499, rel=0.01)


def test_new_pictures_wait_for_two_backlogs_at_most() -> None:
    setting = Setting(2, SECONDS)
    own = WINDOW + BATCH * SECONDS
    course = simulate(100_000, setting)
    assert own + 2000 / setting.capacity < course.waits < own + 4100 / setting.capacity
    unbounded = simulate(100_000, Setting(2, SECONDS, pace=Pace(backlog=100_000, pages=100)))
    assert unbounded.waits > 10 * course.waits


def test_nothing_is_lost_and_small_buckets_end() -> None:
    course = simulate(5_000, Setting(2, SECONDS, arrivals=0))
    assert course.hours * 3600 == pytest.approx(5_000 * SECONDS / 2, rel=0.2)
    with_arrivals = simulate(5_000, Setting(2, SECONDS, arrivals=10))
    assert with_arrivals.hours > course.hours
