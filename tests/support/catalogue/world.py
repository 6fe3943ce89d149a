"""The catalogue over its small world, every call of which may fail."""

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from image_similarity.catalogue.consumer import Consumer
from image_similarity.catalogue.differences import Differences
from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Index, TransientError, index_name
from image_similarity.catalogue.indexing import Indexer
from image_similarity.catalogue.ledger_file import MEMORY, FileLedger
from image_similarity.catalogue.messages import Changed, Message, decode
from image_similarity.catalogue.sync import Pace, Sync
from tests.support.catalogue.bucket import PAGE, Buckets
from tests.support.catalogue.faults import Faults, Faulty, Killed
from tests.support.catalogue.pictures import MANIFEST, TinyEncoder, picture
from tests.support.catalogue.queue import MemoryQueue

READER = "1/tiny"
DEADLY = 13
"""A picture of this colour ends every process that encodes it."""
DEADLY_PICTURE = picture(DEADLY)

Anything = Any


class Inline(Executor):
    """Does everything at once, in this thread: a run can be repeated exactly."""

    def submit(self, fn: Callable[..., Any], /, *args: Anything, **kwargs: Anything) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, fn: Callable[..., Any], *iterables: Anything, **_: Anything) -> Iterator[Any]:
        return iter([fn(*values) for values in zip(*iterables, strict=False)])


class DeadlyEncoder(TinyEncoder):
    def encode(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        if (batch[:, 0, 0, 0] == DEADLY).any():
            raise Killed
        return super().encode(batch)


class World:
    """Buckets whose events go to a queue, and any number of workers on it."""

    def __init__(
        self,
        seed: int,
        index: Index | None = None,
        *,
        lose: Callable[[], bool] = lambda: False,
        page: int = PAGE,
    ) -> None:
        self.faults = Faults(seed)
        self.buckets = Buckets(("s3://photos/", "s3://albums/"), page)
        self.queue = MemoryQueue(seed)
        self.index = index or EmbeddedIndex(Path(MEMORY), index_name(MANIFEST))
        self.ledger = FileLedger()
        self.lost: set[str] = set()
        self.redriven = 0
        self._lose = lose
        self._ticks = count()
        self.buckets.tell = self.tell
        store, found, ledger, queue = (
            Faulty(inner, name, self.faults)
            for inner, name in (
                *((self.buckets, "store"), (self.index, "index")),
                *((self.ledger, "ledger"), (self.queue, "queue")),
            )
        )
        encoder = Faulty(DeadlyEncoder(), "encoder", self.faults)
        indexer = Indexer(store, found, ledger, encoder, reader=READER, pool=Inline(), clock=self.clock)
        differences = Differences(store, found, ledger, reader=READER, pool=Inline())
        pace = Pace(backlog=20, shortest=60, settle=60, pages=3)
        self.sync = Sync(
            differences, ledger, queue, index=index_name(MANIFEST), pace=pace, clock=self.clock, now=self.now
        )
        self.consumer = Consumer(indexer, self.sync, queue, ledger, clock=self.clock)

    def clock(self) -> float:
        return float(next(self._ticks))

    def now(self) -> float:
        return self.queue.now

    def tell(self, key: str) -> None:
        """An object's event, which S3 may double, and a rule that was not there yet loses."""
        if self._lose():
            self.lost.add(key)
            return
        self.queue.send([Changed(key)] * self.queue.chance.choice([1, 1, 1, 2]))

    def work(self, most: int = 10, budget: float = float("inf"), *, wait: bool = True) -> bool:
        """One worker takes one batch; whether there was anything to do. It may end half-way.

        Without `wait` no time passes: another worker is in the middle of something, and holds its messages.
        """
        if not self.queue.waiting:
            return False
        received = self.queue.receive(most)
        if not received:
            if not wait:
                return True
            visible = [one.visible_at for one in self.queue.waiting]
            self.queue.now = max(self.queue.now, min(visible, default=self.queue.now))
            return True
        with contextlib.suppress(Killed):
            self.consumer.consume(received, next(self._ticks) + budget)
        return True

    def start(self, prefix: str = "") -> None:
        """Someone asks for a sync, and may not live to see the answer."""
        with contextlib.suppress(Killed, TransientError):
            self.sync.start(prefix)

    def drain(self, redrives: int = 8) -> None:
        """Without any more faults, until nothing waits and no dead letter is left that another try may
        finish."""
        self.faults.rate = self.faults.interleave = 0
        self.queue.redrive()
        for _ in range(redrives):
            for _ in range(20_000):
                if not self.work():
                    break
            else:
                raise AssertionError(f"{len(self.queue.waiting)} messages still wait")
            if all(self.deadly(decode(one.body)) for one in self.queue.dead):
                return
            self.redriven += 1
            self.queue.redrive()
        raise AssertionError(f"what ends no process stays among the dead letters: {self.queue.dead}")

    def deadly(self, message: Message | None) -> bool:
        """Whether nobody can handle this message to its end."""
        return isinstance(message, Changed) and self.buckets.objects.get(message.key) == DEADLY_PICTURE

    def synced(self) -> None:
        """One whole sync, begun now, until it is done."""
        for _ in range(10):
            last = self.ledger.sync()
            if last is None or last.outcome != "running":
                break
            self.queue.now += 5 * 3600  # it was broken off: the call takes it up
            self.sync.start()
            self.drain()
        run = self.sync.start().run
        self.drain()
        done = self.ledger.sync()
        assert done is not None
        assert (done.run, done.outcome) == (run, "done")
