"""What the catalogue says of itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from image_similarity.catalogue.followed import bucket_of
from image_similarity.catalogue.ledger import Ledger, SyncState
from image_similarity.catalogue.messages import Queue


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What a catalogue is made of, for reading.

    Attributes:
        model: model and weights, as in the X-Model header.
        index: the index's name.
        roots: the buckets, as `Store.roots`.
        ledger: what failed, and the syncs.
    """

    model: str
    index: str
    roots: Sequence[str]
    ledger: Ledger

    def complete(self) -> bool:
        """Whether a sync of all of just these buckets was done for this model's index."""
        done = self.ledger.completed()
        return done is not None and done.index == self.index and set(done.roots) == set(self.roots)

    def status(self, queue: Queue, *, failures: bool) -> dict[str, Any]:
        """The answer of `GET /catalogue`, as JSON values.

        Args:
            queue: whose messages wait.
            failures: whether the caller may see which pictures failed, and why.
        """
        last = self.ledger.sync()
        answer: dict[str, Any] = {
            "model": self.model,
            "buckets": [bucket_of(root) for root in self.roots],
            "pending": queue.depth(),
            "failed": self.ledger.failed(),
            "complete": self.complete(),
            "lastSync": described(last) if last else None,
        }
        if failures:
            newest = self.ledger.newest()
            answer["failures"] = [{"key": one.key, "message": one.message} for one in newest]
        return answer


def described(state: SyncState) -> dict[str, Any]:
    """A sync for those who asked for it, as JSON values."""
    return {
        "id": state.run,
        "state": state.outcome,
        "prefix": state.prefix or None,
        "started": timestamp(state.started),
        "ended": timestamp(state.ended) if state.ended is not None else None,
        "listed": state.listed,
        "queued": state.queued,
    }


def timestamp(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
