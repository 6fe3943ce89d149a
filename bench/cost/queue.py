"""How long a bucket takes to be indexed, and what new pictures wait meanwhile: a simulation by the second.

Messages wait in one queue, the oldest first. A given number of functions take them, as far as the index's
limit of writes allows. A sync is one more message: it lists the next objects while few messages wait, and
postpones itself while many do; its numbers are the product's own (`image_similarity.catalogue.sync.Pace`).
"""

from dataclasses import dataclass, field

from image_similarity.catalogue.messages import LONGEST_DELAY
from image_similarity.catalogue.sync import Pace

WRITES = 2500
"""Vectors a second that an index takes (Amazon S3 Vectors, limitations and restrictions)."""
BATCH, WINDOW = 100, 20
"""Messages that a function takes at once, and seconds that it is waited for so many."""
PAGE, PAGE_SECONDS = 1000, 2.5
"""Objects of a page; seconds to list it, to look its keys up (10 calls) and to queue them (100): assumed."""
RECEIVE_SECONDS = 1
LONGEST_HOURS = 2
"""Of the simulation; what comes after goes on as it was then."""


@dataclass(frozen=True)
class Setting:
    """What is simulated.

    Attributes:
        functions: at once.
        seconds: that a picture takes in one of them.
        arrivals: new pictures a second, while the bucket is listed.
        pace: of the sync.
    """

    functions: int
    seconds: float
    arrivals: float = 1.0
    pace: Pace = field(default_factory=Pace)

    @property
    def capacity(self) -> float:
        """Pictures a second that are indexed while there is enough to do."""
        return min(self.functions / self.seconds, WRITES)


@dataclass(frozen=True)
class Course:
    """How it went.

    Attributes:
        rate: pictures of the bucket that were indexed a second, on the average.
        limit: the bottleneck: "functions", "writes" or "the list".
        hours: until all were.
        waits: seconds that a new picture waited meanwhile, at most.
    """

    rate: float
    limit: str
    hours: float
    waits: float


def simulate(pictures: int, setting: Setting) -> Course:
    """A bucket of so many pictures, none of which is indexed, with new ones arriving all the time."""
    waiting, left, longest, second, step_at = 0.0, pictures, 0.0, 0, 0.0
    done_of_all = 0.0
    while left + waiting >= 1 and second < LONGEST_HOURS * 3600:
        if second >= step_at and left:
            queued, busy = _step(waiting, left, setting.pace)
            waiting, left, step_at = waiting + queued, left - queued, second + busy
        waiting += setting.arrivals
        longest = max(longest, _wait(waiting, setting))
        done = min(waiting, setting.capacity)
        waiting, done_of_all, second = waiting - done, done_of_all + done, second + 1
    rate = min(pictures, max(0.0, done_of_all - setting.arrivals * second)) / second
    return Course(rate, _limit(rate, setting), pictures / rate / 3600, longest)


def _step(waiting: float, left: int, pace: Pace) -> tuple[int, float]:
    """What one step of the sync queues, and after how many seconds the next one is taken."""
    depth = waiting + 1  # its own message counts
    if depth > pace.backlog:
        delay = min(round(pace.shortest * max(1.0, depth / pace.backlog)), LONGEST_DELAY)
        return 0, delay + RECEIVE_SECONDS
    pages = min(-(-pace.backlog // PAGE), pace.pages, -(-left // PAGE))
    return min(left, pages * PAGE), pages * PAGE_SECONDS + RECEIVE_SECONDS


def _wait(waiting: float, setting: Setting) -> float:
    """Of a picture that arrives behind so many: until its batch is taken, and all of it is indexed."""
    return waiting / setting.capacity + WINDOW + BATCH * setting.seconds


def _limit(rate: float, setting: Setting) -> str:
    if rate + setting.arrivals < 0.95 * setting.capacity:
        return "the list"
    return "writes" if setting.capacity == WRITES else "functions"
