"""Finds the keys in which index and buckets differ, by steps that wait in the queue like every other message.

A step lists some pages, queues the keys that differ, sends the next step and only then says in the ledger
that it was taken. So it can be cut off anywhere: the queue gives the step again, keys that are queued twice
are found done, and of two chains the one behind is dropped. Nothing is written to the index here: a queued
key is looked at as after an event, by `indexing`. See docs/adr/0006.
"""

import contextlib
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace

from image_similarity.catalogue.differences import Differences, Found
from image_similarity.catalogue.index import TransientError, batches
from image_similarity.catalogue.ledger import Ledger, SyncState
from image_similarity.catalogue.messages import LONGEST_DELAY, PHASES, Changed, Listing, Queue

SEND = 1000
"""Keys that are sent to the queue in one call."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a sync leaves room for new pictures.

    Attributes:
        backlog: messages; while more wait, no step is taken, and a step queues about as many at most.
        shortest: seconds that a step is put off.
        days: after so many the run ends, done or not.
        stale: seconds without a step after which a run counts as broken off; the next call takes it up.
        settle: seconds that the last step waits at least: a queue may not count at once what was just sent.
        pages: that a step lists at most.
    """

    backlog: int = 2_000
    shortest: int = 15
    days: float = 60
    stale: float = 4 * 3600
    settle: int = 60
    pages: int = 50


class Sync:
    """Any number of processes may call it; one run is at work at a time."""

    def __init__(
        self,
        differences: Differences,
        ledger: Ledger,
        queue: Queue,
        *,
        index: str,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._differences, self._ledger, self._queue, self._index = differences, ledger, queue, index
        self._pace, self._clock, self._now = pace or Pace(), clock, now

    def start(self, prefix: str = "") -> SyncState:
        """Begin a run, or take up the one that was broken off; one that is at work goes on, untouched.

        Args:
            prefix: only keys that begin so.

        Returns:
            The state of the run that is at work now.
        """
        last, now = self._ledger.sync(), self._now()
        if last and self._works(last):
            if now - last.touched < self._pace.stale:
                return last
            state = replace(last, touched=now)
        else:
            run = uuid.uuid4().hex
            deadline = now + self._pace.days * 24 * 3600
            roots = tuple(self._differences.roots)
            state = SyncState(run, self._index, roots, prefix, now, deadline, touched=now, step=Listing(run))
        if self._ledger.save(state, last):
            self._begin(state)
            return state
        return self._ledger.sync() or state  # another call was quicker

    def _begin(self, state: SyncState) -> None:
        """Send the step that a run goes on with; where that fails, the next call need not wait to do it."""
        try:
            self._queue.send([state.step])
        except TransientError:
            with contextlib.suppress(TransientError):
                self._ledger.save(replace(state, touched=self._now() - self._pace.stale), state)
            raise

    def _works(self, state: SyncState) -> bool:
        """Whether the run goes on: it fills this index from these buckets, and has time."""
        same = state.index == self._index and state.roots == tuple(self._differences.roots)
        return state.outcome == "running" and same and self._now() < state.deadline

    def step(self, listing: Listing, deadline: float = float("inf")) -> None:
        """Take one step of a run.

        Args:
            listing: what the queue gave.
            deadline: by the clock: no page is listed after it.

        Raises:
            TransientError: the step is to be taken again later.
        """
        state = self._ledger.sync()
        if state is None or state.run != listing.run or state.outcome != "running":
            return
        if listing.step < state.step.step:
            return  # taken before: the chain goes on elsewhere
        if not self._works(state):
            self._ledger.save(replace(state, outcome="expired", ended=self._now()), state)
            return
        waiting = self._queue.depth()
        if waiting > (1 if listing.phase == "settle" else self._pace.backlog):
            self._put_off(state, listing, waiting)
        elif listing.phase == "settle":
            self._ledger.save(replace(state, outcome="done", ended=self._now()), state)
        else:
            self._go_on(state, listing, deadline)

    def _put_off(self, state: SyncState, listing: Listing, waiting: int) -> None:
        """The more wait, the longer; what is received now counts too, this message at least."""
        delay = round(self._pace.shortest * max(1.0, waiting / self._pace.backlog))
        put_off = replace(listing, step=listing.step + 1)  # of two chains that wait for each other, one ends
        self._queue.send([put_off], delay=min(delay, LONGEST_DELAY))
        self._ledger.save(replace(state, step=put_off, touched=self._now()), state)

    def _go_on(self, state: SyncState, listing: Listing, deadline: float) -> None:
        listed, queued, place = 0, 0, replace(listing, step=listing.step + 1)
        for _ in range(self._pace.pages):
            found = self._differences.page(place, state.prefix)
            for keys in batches(found.keys, SEND):
                self._queue.send([Changed(key) for key in keys])
            listed, queued = listed + found.listed, queued + len(found.keys)
            place = self._after(place, found)
            if queued >= self._pace.backlog or place.phase == "settle" or self._clock() >= deadline:
                break
        self._queue.send([place], delay=self._pace.settle if place.phase == "settle" else 0)
        gone_on = replace(
            state,
            step=place,
            listed=state.listed + listed,
            queued=state.queued + queued,
            touched=self._now(),
        )
        self._ledger.save(gone_on, state)

    def _after(self, place: Listing, found: Found) -> Listing:
        """Where the list goes on: in this bucket, in the next one, or with the next phase."""
        if found.token:
            return replace(place, token=found.token)
        if place.phase == "objects" and place.root + 1 < len(self._differences.roots):
            return replace(place, token="", root=place.root + 1)
        following = PHASES[PHASES.index(place.phase) + 1]
        return replace(place, phase=following, token="", root=0)
