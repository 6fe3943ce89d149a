"""What waits in the catalogue's queue, and what the catalogue asks of a queue."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

Phase = Literal["objects", "vectors", "failures", "settle"]
PHASES: tuple[Phase, ...] = ("objects", "vectors", "failures", "settle")
LONGEST_DELAY = 900
"""Seconds that a message can be put off (Amazon SQS)."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The object of this key may have changed: look at it."""

    key: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One step of a sync: list on from here.

    Attributes:
        run: the sync's id; steps of another one are dropped.
        step: counts up; a step that was taken is dropped where it comes again.
        phase: what is listed.
        token: where; empty: at the beginning.
        root: the number of the bucket that is listed.
    """

    run: str
    step: int = 0
    phase: Phase = "objects"
    token: str = ""
    root: int = 0


Message = Changed | Listing


@dataclass(frozen=True, slots=True)
class Received:
    """A message as the queue gave it.

    Attributes:
        handle: by which the queue knows this receipt.
        message: what it says.
        receives: how often the message was received, this time included.
    """

    handle: str
    message: Message
    receives: int = 1

    @property
    def key(self) -> str:
        """Of the object that may have changed; empty for a step of a sync."""
        return self.message.key if isinstance(self.message, Changed) else ""


class Queue(Protocol):
    """Messages that arrive at least once and in no order. Every method raises TransientError."""

    def send(self, messages: Sequence[Message], delay: int = 0) -> None:
        """Add messages, to be received after so many seconds, 0 to LONGEST_DELAY."""

    def delete(self, finished: Sequence[Received]) -> None:
        """Take received messages out of the queue for good."""

    def postpone(self, received: Received, seconds: int) -> None:
        """Let a received message that is not finished be received again after so many seconds."""

    def depth(self) -> int:
        """About how many messages there are: waiting, put off, or received and not finished."""


def encode(message: Message) -> str:
    """A message as JSON text."""
    return json.dumps({"changed": message.key} if isinstance(message, Changed) else {"list": asdict(message)})


def decode(text: str) -> Message | None:
    """The message of a text that `encode` wrote; None where it did not."""
    try:
        content: Any = json.loads(text)
        if "changed" in content:
            return Changed(str(content["changed"]))
        listing = Listing(**content["list"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return listing if listing.phase in PHASES else None
