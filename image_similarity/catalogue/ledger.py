"""What the catalogue remembers beside the vectors: pictures that failed for good, and the last sync."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from image_similarity.catalogue.messages import Listing

Outcome = Literal["running", "done", "expired"]
NEWEST = 100
"""Failures that a status shows."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that can't be indexed as it is.

    Attributes:
        key: of its object.
        etag: of the object that failed; another one is tried.
        message: why, for its owner.
        reader: the release and the model that failed; others try again.
        at: seconds since 1970.
    """

    key: str
    etag: str
    message: str
    reader: str
    at: float


@dataclass(frozen=True, slots=True)
class SyncState:
    """A sync that runs, or the last one.

    Attributes:
        run: its id.
        index: the name of the index that it fills.
        roots: the buckets that it lists, as `Store.roots`.
        prefix: what its keys begin with; empty: all of them.
        started: seconds since 1970, as the other times.
        deadline: when it ends in any case.
        touched: when it was last seen at work.
        listed: objects and entries that were compared.
        queued: keys that were found to differ, and queued.
        step: the step that is to be taken next.
        outcome: how it ended, or that it has not.
        ended: when; None while it runs.
    """

    run: str
    index: str
    roots: tuple[str, ...]
    prefix: str
    started: float
    deadline: float
    touched: float
    step: Listing
    listed: int = 0
    queued: int = 0
    outcome: Outcome = "running"
    ended: float | None = None


class Ledger(Protocol):
    """A small table. What was written is seen by every later read; every method raises TransientError."""

    def fail(self, failures: Iterable[Failure]) -> None:
        """Remember failures, each in place of its key's last one."""

    def forget(self, keys: Iterable[str]) -> None:
        """Remove what is there of these keys."""

    def known(self, keys: Iterable[str]) -> dict[str, Failure]:
        """The failures of these keys."""

    def newest(self, limit: int = NEWEST) -> list[Failure]:
        """The last failures, the newest first."""

    def failed(self) -> int:
        """How many failures there are."""

    def page(self, token: str = "") -> tuple[list[Failure], str]:
        """Failures in an order that stays, and where they go on; the token is empty at the end."""

    def sync(self) -> SyncState | None:
        """The sync that runs, or else the last one."""

    def completed(self) -> SyncState | None:
        """The last sync of all pictures that was done."""

    def save(self, state: SyncState, instead_of: SyncState | None) -> bool:
        """Write the sync's state if it is still the one that was read (None: none); whether it was."""


def state_to_json(state: SyncState) -> dict[str, Any]:
    """A state as JSON values."""
    return asdict(state)


def state_from_json(content: dict[str, Any]) -> SyncState:
    """The state of `state_to_json`."""
    step = Listing(**content["step"])
    return SyncState(**{**content, "step": step, "roots": tuple(content["roots"])})


def completes(state: SyncState) -> bool:
    """Whether after this sync the index holds all that the buckets do."""
    return state.outcome == "done" and not state.prefix
