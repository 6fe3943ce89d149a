"""A queue in memory, as SQS is: at least once, in no order, invisible while held, dead letters after a
while."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from image_similarity.catalogue.messages import LONGEST_DELAY, Message, Received, decode, encode

MAX_RECEIVES = 5


@dataclass
class Waiting:
    body: str
    visible_at: float
    receives: int = 0
    handle: str = ""


class MemoryQueue:
    """See `Queue`. Time is `now`, which the test moves."""

    def __init__(self, seed: int = 0, invisible: float = 1_820) -> None:
        self.chance = random.Random(seed)
        self._invisible = invisible
        self.now = 0.0
        self.waiting: list[Waiting] = []
        self.dead: list[Waiting] = []
        self._receipts = 0

    def send(self, messages: Sequence[Message], delay: int = 0) -> None:
        assert 0 <= delay <= LONGEST_DELAY
        for message in messages:
            self.waiting.append(Waiting(encode(message), self.now + delay))

    def receive(self, most: int = 10) -> list[Received]:
        self.waiting, dead = (
            [one for one in self.waiting if one.receives < MAX_RECEIVES or one.visible_at > self.now],
            [one for one in self.waiting if one.receives >= MAX_RECEIVES and one.visible_at <= self.now],
        )
        self.dead += dead
        visible = [one for one in self.waiting if one.visible_at <= self.now]
        taken = self.chance.sample(visible, min(most, len(visible)))
        return [self._hand_out(one) for one in taken]

    def _hand_out(self, one: Waiting) -> Received:
        self._receipts += 1
        one.handle, one.visible_at = str(self._receipts), self.now + self._invisible
        one.receives += 1
        message = decode(one.body)
        assert message is not None
        return Received(one.handle, message, one.receives)

    def delete(self, finished: Sequence[Received]) -> None:
        handles = {one.handle for one in finished}
        self.waiting = [one for one in self.waiting if one.handle not in handles or not one.handle]

    def postpone(self, received: Received, seconds: int) -> None:
        for one in self.waiting:
            if one.handle == received.handle:
                one.visible_at = self.now + seconds

    def depth(self) -> int:
        return len(self.waiting)

    def redrive(self) -> None:
        """Dead letters come back, as an operator would have it."""
        self.waiting += [Waiting(one.body, self.now) for one in self.dead]
        self.dead = []
