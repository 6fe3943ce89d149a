"""Fixtures that several kinds of tests share."""

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings

from tests.support.local_stack import LocalRun, running_stack

MAX_RUNNING = 2
LocalStack = Callable[..., str]

# The same examples in every run, and no counter-example that a busy machine makes.
settings.register_profile(
    "repeatable",
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("repeatable")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def local_stack() -> Iterator[LocalStack]:
    """`local_stack("ImageSimilarity=no ...", {"NAME": "value"})` gives the origin of a running local stack.

    The same parameters and environment give the same run; the oldest ends when there are too many.
    """
    running: dict[tuple[str, tuple[tuple[str, str], ...]], tuple[LocalRun, ExitStack]] = {}

    def start(parameters: str = "", environment: Mapping[str, str] | None = None) -> str:
        key = (parameters, tuple(sorted((environment or {}).items())))
        if key not in running:
            if len(running) == MAX_RUNNING:
                running.pop(next(iter(running)))[1].close()
            closing = ExitStack()
            running[key] = (closing.enter_context(running_stack(parameters, environment)), closing)
        running[key] = running.pop(key)  # the most recently used is the last
        return running[key][0].origin

    yield start
    for _, closing in running.values():
        closing.close()
