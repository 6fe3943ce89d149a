"""The index against the buckets, whatever happens: a random walk with the buckets themselves as the oracle.

Events come doubled and in no order, or are lost; objects are replaced while they are read; every call may
be refused, or answer too late, or be the last one of its process; pictures are broken, have no vector, or
end every process that reads them. When the queue has drained, the index is to equal the buckets without a
sync where no event was lost, and after one sync where some were.
"""

from collections import Counter
from collections.abc import Callable, Set
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from numpy.typing import NDArray

from image_similarity.catalogue.index import Entry
from image_similarity.inference import image
from image_similarity.inference.errors import ApiError
from tests.support.catalogue.bucket import ARCHIVED
from tests.support.catalogue.pictures import DIRECTIONLESS, MANIFEST, picture, vector_of
from tests.support.catalogue.world import DEADLY_PICTURE, World

KEYS = [
    *(f"s3://photos/{n}.jpg" for n in range(6)),
    *(f"s3://albums/summer/{n}+%20 ü.png" for n in range(4)),
    "s3://albums/" + "long/" * 200 + "x.png",
]
GOOD = (20, 90, 200)
CONTENTS = {
    **{f"good {colour}": picture(colour) for colour in GOOD},
    "broken": picture(30)[:60],
    "text": b"no picture",
    "empty": b"",
    "archived": ARCHIVED,
    "directionless": picture(DIRECTIONLESS),
    "deadly": DEADLY_PICTURE,
}
seen: Counter[str] = Counter()


class Walk(RuleBasedStateMachine):
    losing = False
    owners_rest = False

    @initialize(seed=st.integers(0, 2**32))
    def begin(self, seed: int) -> None:
        self.world = World(seed, lose=lambda: self.losing, page=3)  # fewer than a bucket has objects
        self.world.faults.between = self._meanwhile

    def _meanwhile(self) -> None:
        """What happens between two calls of a worker: owners change objects, and others overtake it."""
        chance, happens = (
            self.world.queue.chance,
            self.world.queue.chance.choice(["change", "work", "both", "both"]),
        )
        if happens != "work" and self.owners_rest is False:
            key = chance.choice(KEYS)
            if chance.random() < 0.3:
                self.world.buckets.remove(key)
            else:
                self._change(key, chance.choice(list(CONTENTS)))
        if happens != "change":
            self.world.work(most=20, wait=False)

    def _change(self, key: str, content: str) -> None:
        self.world.buckets.write(key, CONTENTS[content])

    @rule(
        key=st.sampled_from(KEYS),
        content=st.sampled_from(list(CONTENTS)),
        lost=st.sampled_from([False] * 5 + [True]),
    )
    def write(self, key: str, content: str, lost: bool) -> None:
        self._losing(lost, lambda: self._change(key, content))

    @rule(key=st.sampled_from(KEYS), lost=st.sampled_from([False] * 5 + [True]))
    def remove(self, key: str, lost: bool) -> None:
        self._losing(lost, lambda: self.world.buckets.remove(key))

    def _losing(self, lost: bool, change: Callable[[], None]) -> None:
        self.losing = lost
        change()
        self.losing = False

    @rule(key=st.sampled_from(KEYS))
    def event_out_of_nowhere(self, key: str) -> None:
        self.world.tell(key)

    @rule(
        times=st.integers(1, 6),
        most=st.integers(1, 12),
        rate=st.sampled_from([0, 20, 100, 300]),
        interleave=st.sampled_from([0, 100, 400]),
        budget=st.sampled_from([5, 40, float("inf")]),
    )
    def work(self, times: int, most: int, rate: int, interleave: int, budget: float) -> None:
        self.world.faults.rate, self.world.faults.interleave = rate, interleave
        for _ in range(times):
            self.world.work(most, budget)

    @rule(
        prefix=st.sampled_from(["", "s3://photos/", "s3://albums/summer/1"]), rate=st.sampled_from([0, 300])
    )
    def start_a_sync(self, prefix: str, rate: int) -> None:
        self.world.faults.rate = rate
        self.world.start(prefix)

    @precondition(lambda self: self.world.queue.dead)
    @rule()
    def redrive(self) -> None:
        self.world.queue.redrive()

    @rule(seconds=st.sampled_from([60, 2_000, 5 * 3600]))
    def wait(self, seconds: int) -> None:
        self.world.queue.now += seconds

    def _race(self) -> None:
        """All pictures in one batch, which owners and other workers overtake while it is worked on."""
        self.world.drain()
        for key in KEYS:
            self._change(key, self.world.queue.chance.choice(list(CONTENTS)[: len(GOOD)]))
        self.work(1, 2 * len(KEYS), self.world.queue.chance.choice([0, 100]), 300, float("inf"))

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        chance = world.queue.chance
        for _ in range(chance.randrange(3)):
            self._race()
        self.owners_rest = True  # no later event is to repair what these do
        self.work(chance.randrange(8), 12, 50, 300, float("inf"))
        self.losing = True
        for key in chance.sample(KEYS, chance.choice([0, 0, 1, 3])):
            world.buckets.remove(key)
        for key in chance.sample(KEYS, chance.choice([0, 0, 1, 3])):
            self._change(key, chance.choice(list(CONTENTS)))
        self.losing = False
        world.drain()
        deadly = {key for key, data in world.buckets.objects.items() if data == CONTENTS["deadly"]}
        agree(world, except_for=world.lost | deadly)
        for key in deadly:
            world.buckets.remove(key)
        world.drain()
        world.synced()
        agree(world)
        seen.update(world.faults.counts)
        seen["calls"] += world.faults.calls
        seen["redriven again"] += world.redriven
        seen["walks"] += 1


def agree(world: World, except_for: Set[str] = frozenset()) -> None:
    """The index has the pictures of the buckets and nothing else, and the ledger what can't be one."""
    expected = {key: world.buckets.etag(key) for key in world.buckets.objects if is_picture(world, key)}
    unusable = {key: world.buckets.etag(key) for key in world.buckets.objects if key not in expected}
    entries: dict[str, Any] = {}
    token = None
    while True:
        page = world.index.page(token)
        entries |= {entry.key: entry for entry in page.entries}
        token = page.token
        if token is None:
            break
    assert without({key: entry.etag for key, entry in entries.items()}, except_for) == without(
        expected, except_for
    )
    failures = {one.key: one.etag for one in world.ledger.newest(1000)}
    assert without(failures, except_for) == without(unusable, except_for)
    assert world.ledger.failed() == len(failures)
    for key in without(expected, except_for):
        assert entries[key] == Entry(*(getattr(world.buckets.look(key), name) for name in Entry.__slots__))
        np.testing.assert_array_equal(world.index.vector(key), vector_of(pixels(world.buckets.objects[key])))


def without(found: dict[str, str], keys: Set[str]) -> dict[str, str]:
    return {key: etag for key, etag in found.items() if key not in keys}


def pixels(data: bytes) -> NDArray[np.uint8]:
    return image.decode(data, preprocessing=MANIFEST.preprocessing)


def is_picture(world: World, key: str) -> bool:
    data = world.buckets.objects[key]
    if data.startswith(ARCHIVED):
        return False
    try:
        return bool(vector_of(pixels(data)).any())
    except ApiError:
        return False
