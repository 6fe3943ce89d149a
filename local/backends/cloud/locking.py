"""One call at a time: moto's services are not made for threads."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Any, TypeVar

Anything = Any
Method = TypeVar("Method", bound=Callable[..., Any])


def locked(lock: AbstractContextManager[Any], method: Method) -> Method:
    """The method, in which one thread of those that use this lock is at a time."""

    @wraps(method)
    def wrapped(*args: Anything, **kwargs: Anything) -> Anything:
        with lock:
            return method(*args, **kwargs)

    return wrapped  # type: ignore[return-value]
