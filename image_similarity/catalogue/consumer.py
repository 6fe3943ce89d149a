"""Takes a batch of messages from the queue: pictures, then the steps of a sync, then what is dangerous.

What is finished leaves the queue at once, not when the batch ends: a process that dies, or a picture that
kills it, takes nothing along that was done. What was received before goes alone, and what was begun so and
did not end goes last of all, for the same reason.
"""

import contextlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence

from image_similarity.catalogue.index import TransientError
from image_similarity.catalogue.indexing import FINISHED, Indexer, Outcome, Results
from image_similarity.catalogue.ledger import Failure, Ledger
from image_similarity.catalogue.messages import Changed, Listing, Queue, Received
from image_similarity.catalogue.sync import Sync

AGAIN_SECONDS = 5
BEGUN = "Indexing this picture began and has not ended yet."
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 300
"""Between two attempts at what failed and may pass."""
Handled = list[Received]
logger = logging.getLogger(__name__)


class Consumer:
    """Handles messages of one queue; any number of them may work side by side."""

    def __init__(
        self,
        indexer: Indexer,
        sync: Sync,
        queue: Queue,
        ledger: Ledger,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._indexer, self._sync, self._queue, self._ledger = indexer, sync, queue, ledger
        self._clock = clock
        self.counts: dict[Outcome, int] = dict.fromkeys(Outcome, 0)

    def consume(self, received: Sequence[Received], deadline: float = float("inf")) -> Handled:
        """Handle a batch.

        Args:
            received: messages, each with its own handle.
            deadline: by the clock, well before the process ends: nothing is begun after it.

        Returns:
            The messages that are not finished, which the queue will give again. All others were deleted.
        """
        changes = [one for one in received if isinstance(one.message, Changed)]
        repeated = [one for one in changes if one.receives > 1]
        begun = self._begun(repeated)
        left = self._index([one for one in changes if one.receives <= 1], deadline)
        for one in repeated:
            if one.key not in begun:
                left += self._alone(one, deadline)
        for one in received:
            if isinstance(one.message, Listing):
                left += self._list(one, deadline)
        for one in repeated:
            if one.key in begun:
                left += self._alone(one, deadline)
        return left

    def _begun(self, repeated: Sequence[Received]) -> set[str]:
        """The keys that were begun alone and did not end: they may end this process too."""
        known: dict[str, Failure] = {}
        with contextlib.suppress(TransientError):
            known = self._ledger.known(dict.fromkeys(one.key for one in repeated)) if repeated else {}
        return {key for key, failure in known.items() if failure.message == BEGUN}

    def _alone(self, one: Received, deadline: float) -> Handled:
        """Handle what may have ended a process before.

        That it is begun is marked as a failure, which goes when it ends: a picture that ends every process
        is seen in the status, and takes no other one to the dead letters.
        """
        if self._clock() >= deadline:
            return self._index([one], deadline)
        try:
            self._ledger.fail([Failure(one.key, "", BEGUN, "", time.time())])
        except TransientError as error:
            logger.warning("a picture waits: %s", error)
            self._postpone(one, begun=True)
            return [one]
        return self._index([one], deadline, marked=True)

    def _index(self, group: Sequence[Received], deadline: float, *, marked: bool = False) -> Handled:
        by_key: dict[str, Handled] = {}
        for one in group:
            by_key.setdefault(one.key, []).append(one)
        left: Handled = []
        for results in self._indexer.index(by_key, deadline):
            left += self._settle(results, by_key, marked=marked)
        return left

    def _settle(self, results: Results, by_key: dict[str, Handled], *, marked: bool) -> Handled:
        """Say to the queue what became of a chunk."""
        for outcome in results.values():
            self.counts[outcome] += 1
        done = {key for key, outcome in results.items() if outcome in FINISHED}
        again = {key for key, outcome in results.items() if outcome is Outcome.AGAIN}
        if again and self._sent([Changed(key) for key in again]):
            done |= again
        self._finish(one for key in done for one in by_key[key])
        left = [one for key in results if key not in done for one in by_key[key]]
        if marked and left:  # while nobody else has the message, who might write a failure for good
            with contextlib.suppress(TransientError):  # otherwise it counts as dangerous once too often
                self._ledger.forget(dict.fromkeys(one.key for one in left))
        for one in left:
            self._postpone(one, begun=results[one.key] is not Outcome.NOT_BEGUN)
        return left

    def _sent(self, messages: Sequence[Changed]) -> bool:
        try:
            self._queue.send(messages, delay=AGAIN_SECONDS)
        except TransientError as error:
            logger.warning("%d pictures wait: %s", len(messages), error)
            return False
        return True

    def _list(self, one: Received, deadline: float) -> Handled:
        begun = self._clock() < deadline
        try:
            if begun and isinstance(one.message, Listing):
                self._sync.step(one.message, deadline)
                self._finish([one])
                return []
        except TransientError as error:
            logger.warning("a step of the sync waits: %s", error)
        except Exception:  # a defect or a missing permission: told, counted by the queue, never lost
            logger.exception("a step of the sync failed")
        self._postpone(one, begun=begun)
        return [one]

    def _finish(self, finished: Iterable[Received]) -> None:
        with contextlib.suppress(TransientError):  # otherwise they come again and are found done
            self._queue.delete(list(finished))

    def _postpone(self, one: Received, *, begun: bool) -> None:
        longer = SHORTEST_SECONDS * 2 ** min(one.receives - 1, 8)
        with contextlib.suppress(
            TransientError
        ):  # otherwise it comes again when nobody may hold it any longer
            self._queue.postpone(one, min(longer, LONGEST_SECONDS) if begun else 0)
