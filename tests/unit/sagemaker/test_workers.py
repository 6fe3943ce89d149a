"""Places and stuck work, with a clock of our own."""

import threading
from contextlib import ExitStack

import pytest

from image_similarity.inference.errors import Unavailable
from sagemaker.workers import BODIES_PER_PLACE, STUCK_AFTER_SECONDS, Gate, Held, Workers


def test_places_are_bounded_and_come_back() -> None:
    workers = Workers(capacity=2)
    with workers.place(), workers.place(), pytest.raises(Unavailable), workers.place():
        pytest.fail("a third place was given")
    with workers.place(), workers.place():
        pass


def test_bodies_on_their_way_are_bounded_and_take_no_place() -> None:
    workers = Workers(capacity=1)
    with ExitStack() as bodies:
        for _ in range(BODIES_PER_PLACE):
            bodies.enter_context(workers.reading())
        with workers.place(), pytest.raises(Unavailable), workers.reading():
            pytest.fail("one body too many was let in")
    with workers.reading():
        pass


def test_who_waits_too_long_at_the_gate_is_turned_away() -> None:
    gate = Gate(1, seconds=0.05)
    with gate, pytest.raises(Unavailable, match="Try again"), gate:
        pytest.fail("two passed")
    with gate:
        pass


def test_who_waits_at_the_gate_passes_in_turn() -> None:
    gate, passed = Gate(1, seconds=30), threading.Event()

    def pass_it() -> None:
        with gate:
            passed.set()

    with gate:
        waiting = threading.Thread(target=pass_it)
        waiting.start()
        assert not passed.wait(0.1)
    assert passed.wait(10)
    waiting.join()


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


def test_fetched_files_that_wait_are_bounded_by_their_bytes() -> None:
    held = Held(100)
    with held.holding(60), held.holding(40), held.holding(0), pytest.raises(Unavailable), held.holding(1):
        pass
    # Alone it passes whatever its size: it would never pass else.
    with held.holding(500), pytest.raises(Unavailable), held.holding(1):
        pass
    with held.holding(100):
        pass
