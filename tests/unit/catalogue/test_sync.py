"""Single turns of a sync that the oracle's walk takes by chance."""

import contextlib

import pytest

from image_similarity.catalogue.messages import Changed, Listing
from tests.support.catalogue.pictures import picture
from tests.support.catalogue.world import World


@pytest.fixture
def world() -> World:
    """A world that loses every event."""
    world = World(1, lose=lambda: True)
    for number in range(50):
        world.buckets.write(f"s3://photos/{number:02}.jpg", picture(100 + number))
    return world


def keys(world: World) -> set[str]:
    return {entry.key for entry in world.index.page().entries}


def test_what_is_there_is_indexed_and_what_is_not_is_dropped(world: World) -> None:
    world.synced()
    assert keys(world) == set(world.buckets.objects)
    for number in range(20):
        world.buckets.remove(f"s3://photos/{number:02}.jpg")
    world.buckets.write("s3://albums/new.jpg", picture(1))
    world.buckets.write("s3://photos/30.jpg", picture(2))
    world.synced()
    assert keys(world) == set(world.buckets.objects)
    assert world.index.get(["s3://photos/30.jpg"])["s3://photos/30.jpg"].etag == world.buckets.etag(
        "s3://photos/30.jpg"
    )
    state = world.ledger.sync()
    assert state is not None
    assert state.queued == 22


def test_a_second_call_is_told_of_the_first(world: World) -> None:
    first = world.sync.start()
    waiting = world.queue.depth()
    second = world.sync.start("s3://photos/1")
    assert (second.run, second.prefix) == (first.run, "")
    assert world.queue.depth() == waiting
    world.drain()
    assert world.sync.start().run != first.run


def test_a_prefix(world: World) -> None:
    world.sync.start("s3://photos/1")
    world.drain()
    assert keys(world) == {f"s3://photos/{number}.jpg" for number in range(10, 20)}
    world.synced()
    for number in (10, 30):
        world.buckets.remove(f"s3://photos/{number}.jpg")
    world.sync.start("s3://photos/1")
    world.drain()
    assert "s3://photos/30.jpg" in keys(world)
    assert "s3://photos/10.jpg" not in keys(world)


def test_a_step_is_put_off_while_others_wait(world: World) -> None:
    world.sync.start()
    world.queue.send([Changed(f"s3://photos/none-{number}") for number in range(30)])
    before = world.queue.depth()
    world.sync.step(world.ledger.sync().step)  # type: ignore[union-attr]
    assert world.queue.depth() == before + 1  # itself, later; nothing was listed
    assert world.ledger.sync().listed == 0  # type: ignore[union-attr]
    delayed = max(one.visible_at for one in world.queue.waiting)
    assert delayed >= world.now() + 60


def test_a_step_queues_no_more_than_the_backlog_and_a_page(world: World) -> None:
    world.sync.start()
    world.queue.waiting.clear()
    world.sync.step(world.ledger.sync().step)  # type: ignore[union-attr]
    assert 20 <= world.queue.depth() <= 20 + 7 + 1


def test_a_step_of_another_run_or_that_was_taken_is_dropped(world: World) -> None:
    state = world.sync.start()
    world.queue.waiting.clear()
    world.sync.step(Listing("another run"))
    assert world.queue.depth() == 0
    world.sync.step(state.step)
    depth = world.queue.depth()
    world.sync.step(state.step)
    assert world.queue.depth() == depth


def test_a_run_that_broke_off_is_taken_up(world: World) -> None:
    first = world.sync.start()
    world.queue.waiting.clear()  # its step is lost
    assert world.sync.start().run == first.run
    assert world.queue.depth() == 0
    world.queue.now += 5 * 3600
    assert world.sync.start().run == first.run
    world.drain()
    assert keys(world) == set(world.buckets.objects)


def test_without_buckets_the_index_is_emptied(world: World) -> None:
    world.synced()
    assert keys(world)
    world.buckets.roots = ()
    world.synced()
    assert not keys(world)


def test_a_run_ends_at_its_deadline(world: World) -> None:
    first = world.sync.start()
    world.queue.now += 61 * 24 * 3600
    world.sync.step(first.step)
    ended = world.ledger.sync()
    assert ended is not None
    assert (ended.run, ended.outcome) == (first.run, "expired")
    world.synced()


def test_other_buckets_begin_another_run(world: World) -> None:
    first = world.sync.start()
    world.buckets.roots = ("s3://photos/",)
    assert world.sync.start().run != first.run
    world.drain()
    assert keys(world) == {key for key in world.buckets.objects if key.startswith("s3://photos/")}


def test_chains_that_were_forked_come_to_one_end(world: World) -> None:
    state = world.sync.start()
    world.queue.send([state.step] * 5)
    with contextlib.suppress(StopIteration):
        world.drain()
    assert world.queue.depth() == 0
    done = world.ledger.sync()
    assert done is not None
    assert (done.run, done.outcome) == (state.run, "done")
