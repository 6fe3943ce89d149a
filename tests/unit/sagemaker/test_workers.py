"""Places and stuck work, with a clock of our own."""

import asyncio
import threading
from contextlib import ExitStack

import pytest

from image_similarity.inference.errors import Unavailable
from image_similarity.inference.turns import NoTurnError
from sagemaker.workers import BODIES_PER_PLACE, STUCK_AFTER_SECONDS, Fetching, Gate, Held, Workers


def test_places_are_bounded_and_come_back() -> None:
    async def run() -> None:
        workers = Workers(capacity=2)
        for _ in range(2):
            async with workers.place(0), workers.place(0):
                with pytest.raises(Unavailable, match="Try again"):
                    async with workers.place(0.01):
                        pytest.fail("a third place was given")

    asyncio.run(run())


def test_who_waits_gets_the_next_place_in_turn() -> None:
    async def run() -> None:
        workers, order = Workers(capacity=1), list[int]()

        async def take(number: int) -> None:
            async with workers.place(30):
                order.append(number)

        async with workers.place(0):
            waiting = [asyncio.create_task(take(number)) for number in range(3)]
            await asyncio.sleep(0.01)
            assert order == []
        await asyncio.gather(*waiting)
        assert order == [0, 1, 2]

    asyncio.run(run())


def test_who_stopped_waiting_takes_no_place() -> None:
    async def run() -> None:
        workers = Workers(capacity=1)
        async with workers.place(0):
            with pytest.raises(Unavailable):
                async with workers.place(0.01):
                    pytest.fail("a second place was given")
        async with workers.place(0):
            pass

    asyncio.run(run())


def test_slow_bodies_are_bounded_and_take_no_place() -> None:
    async def run() -> None:
        workers = Workers(capacity=1)
        with ExitStack() as bodies:
            for _ in range(BODIES_PER_PLACE):
                bodies.enter_context(workers.reading())
            async with workers.place(0):
                with pytest.raises(Unavailable), workers.reading():
                    pytest.fail("one body too many was let in")
        with workers.reading():
            pass

    asyncio.run(run())


def test_who_waits_too_long_at_the_gate_is_turned_away() -> None:
    gate = Gate(1)
    with gate.turn(0.05), pytest.raises(Unavailable, match="Try again"), gate.turn(0.05):
        pytest.fail("two passed")
    with gate.turn(0.05):
        pass


def test_who_waits_at_the_gate_passes_in_turn() -> None:
    gate, passed = Gate(1), threading.Event()

    def pass_it() -> None:
        with gate.turn(30):
            passed.set()

    with gate.turn(30):
        waiting = threading.Thread(target=pass_it)
        waiting.start()
        assert not passed.wait(0.1)
    assert passed.wait(60)
    waiting.join()


def test_an_error_within_a_turn_is_passed_on_as_it_is() -> None:
    with pytest.raises(NoTurnError), Gate(1).turn(1):
        raise NoTurnError


def test_a_batch_takes_a_place_for_every_two_files_that_it_fetches() -> None:
    fetching = Fetching(3)
    with (
        fetching.files(4),
        fetching.files(1),
        pytest.raises(Unavailable, match='as "img"'),
        fetching.files(2),
    ):
        pytest.fail("a fourth place was given")


def test_batches_leave_places_for_others_to_fetch() -> None:
    fetching = Fetching(24)
    with fetching.files(16), fetching.files(16):
        with pytest.raises(Unavailable), fetching.files(3):
            pytest.fail("a batch took a place that is kept")
        with ExitStack() as others:
            for _ in range(8):
                others.enter_context(fetching.files(2))
            with pytest.raises(Unavailable), fetching.files(1):
                pytest.fail("a 25th place was given")
    with Fetching(12).files(16):  # on one core too
        pass


def test_work_that_never_ends_makes_the_process_unhealthy_until_it_ends() -> None:
    async def run() -> None:
        now = 0.0
        workers = Workers(capacity=2, clock=lambda: now)
        assert not workers.stuck
        async with workers.place(0):
            now = STUCK_AFTER_SECONDS
            assert not workers.stuck
            now += 0.1
            assert workers.stuck
            async with workers.place(0):
                assert workers.stuck
        assert not workers.stuck

    asyncio.run(run())


def test_fetched_files_that_wait_are_bounded_by_their_bytes() -> None:
    held = Held(100)
    with held.holding(60), held.holding(40), held.holding(0), pytest.raises(Unavailable), held.holding(1):
        pass
    # Alone it passes whatever its size: it would never pass else.
    with held.holding(500), pytest.raises(Unavailable), held.holding(1):
        pass
    with held.holding(100):
        pass
