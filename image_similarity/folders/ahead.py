"""Work that is done before its results are asked for, in their order."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def ahead(
    pool: Executor, work: Callable[[Item], Result], items: Iterable[Item], begun: int
) -> Generator[Result, None, None]:
    """The results of work in the order of the items.

    Args:
        pool: where it is done.
        work: takes one item; what it raises is raised in the item's turn.
        items: are taken as they are needed.
        begun: pieces of work that may be under way besides the one that is waited for. None begins after
            the iterator is closed.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > begun:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for one in waiting:
            one.cancel()
