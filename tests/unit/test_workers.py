"""Places and stuck work, with a clock of our own."""

import pytest

from inference.errors import Unavailable
from sagemaker.workers import STUCK_AFTER_SECONDS, Workers


def test_places_are_bounded_and_come_back() -> None:
    workers = Workers(capacity=2)
    with workers.place(), workers.place(), pytest.raises(Unavailable), workers.place():
        pytest.fail("a third place was given")
    with workers.place(), workers.place():
        pass


def test_work_that_never_ends_makes_the_process_unhealthy_until_it_ends() -> None:
    now = 0.0
    workers = Workers(capacity=2, clock=lambda: now)
    assert not workers.stuck
    with workers.place():
        now = STUCK_AFTER_SECONDS
        assert not workers.stuck
        now += 0.1
        assert workers.stuck
        with workers.place():
            assert workers.stuck
    assert not workers.stuck
