"""Turns are given in order, and to as many as may."""

import threading
import time

import pytest

from image_similarity.inference.turns import NoTurnError, Turns


def test_as_many_as_may_have_a_turn_at_once_and_no_more() -> None:
    turns = Turns(2)
    with turns.turn(), turns.turn(), pytest.raises(NoTurnError), turns.turn(0.01):
        pytest.fail("a third had a turn")
    with turns.turn(0), turns.turn(0):
        pass


def test_whoever_takes_turn_after_turn_lets_those_who_wait_pass() -> None:
    turns, order = Turns(1), list[str]()
    asked = threading.Event()

    def once() -> None:
        asked.set()
        with turns.turn():
            order.append("other")

    other = threading.Thread(target=once)
    with turns.turn():
        other.start()
        asked.wait(10)
        while not turns.waiting:
            time.sleep(0.001)
    for _ in range(3):
        with turns.turn():
            order.append("mine")
    other.join()
    assert order == ["other", "mine", "mine", "mine"]


def test_a_turn_that_nobody_waits_for_any_longer_is_not_lost() -> None:
    turns = Turns(1)
    with turns.turn(), pytest.raises(NoTurnError), turns.turn(0):
        pass
    with turns.turn(0):
        assert not turns.waiting
