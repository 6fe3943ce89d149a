"""One file through every reader, each in a process of its own: a crash or a hang is an outcome too."""

import os
import pickle
import re
import resource
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from image_similarity.inference.errors import ApiError
from tests.strangers.readers import READERS, Square

SECONDS = 30
MAX_BYTES = 20 * 2**20
NEAR, SAME = 6.0, 1.5
"""Mean difference of two squares, in levels of 255: up to here they are the same, or hardly differ."""
SLOW_SECONDS, DEAR_MEGABYTES = 1.0, 300


@dataclass(frozen=True)
class Outcome:
    """What one reader made of one file.

    Attributes:
        square: what it shows, or None.
        refusal: why it shows nothing.
        seconds: of the processor.
        megabytes: that its memory grew by at most.
        is_answer: whether a refusal is one of the API's answers, and no other exception or end.
    """

    square: Square | None = None
    refusal: str = ""
    seconds: float = 0.0
    megabytes: int = 0
    is_answer: bool = True


@dataclass(frozen=True)
class Verdict:
    """One file: what it comes to, by whose doing, and the outcome of each reader."""

    path: Path
    kind: str
    cause: str
    outcomes: dict[str, Outcome] = field(repr=False)


def read_apart(reader: Callable[[bytes], Square], data: bytes) -> Outcome:
    """Let a reader read in a forked process, for SECONDS at most."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            _child(reader, data, writing)
        finally:
            os._exit(1)  # whatever it raised: never a second one of what forked it
    os.close(writing)
    parts, end = [], time.monotonic() + SECONDS
    while select.select([reading], [], [], max(0.0, end - time.monotonic()))[0]:
        if not (part := os.read(reading, 2**20)):
            break
        parts.append(part)
    else:
        os.kill(child, signal.SIGKILL)
    os.close(reading)
    _, status = os.waitpid(child, 0)
    if status == 0 and parts:
        outcome: Outcome = pickle.loads(b"".join(parts))  # noqa: S301 - our own child's
        return outcome
    ended = f"ended by signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {status}"
    return Outcome(refusal=ended, is_answer=False)


def _child(reader: Callable[[bytes], Square], data: bytes, writing: int) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    square, refusal, is_answer = None, "", True
    try:
        square = reader(data)
    except ApiError as error:
        refusal = error.message
    except Exception as error:
        refusal, is_answer = f"{type(error).__name__}: {error}".splitlines()[0], False
    seconds = time.process_time() - start
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024
    with os.fdopen(writing, "wb") as pipe:
        pickle.dump(Outcome(square, refusal, seconds, megabytes, is_answer), pipe)
    os._exit(0)


def difference(one: Square, other: Square) -> float:
    """Mean difference of two squares, in levels."""
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


def judge(path: Path) -> Verdict:
    """Read one file by all readers and say what it comes to."""
    data = path.read_bytes()
    outcomes = {name: read_apart(reader, data) for name, reader in READERS.items()}
    kind, cause = compared(outcomes)
    return Verdict(path, kind, cause, outcomes)


def compared(outcomes: dict[str, Outcome]) -> tuple[str, str]:
    """What the outcomes of all readers come to, and the cause, in words that files share."""
    ours = outcomes["ours"]
    others = {name: outcome for name, outcome in outcomes.items() if name != "ours"}
    readable = {name: outcome.square for name, outcome in others.items() if outcome.square is not None}
    if ours.square is None:
        if not ours.is_answer:
            return "DEFECT", ours.refusal
        by_whom = f"refused, read by {' and '.join(readable)}" if readable else "refused by all"
        return by_whom, re.sub(r"\d+", "N", ours.refusal)
    if not readable:
        return "read here alone", re.sub(r"\d+", "N", next(iter(others.values())).refusal)[:90]
    distances = {name: difference(ours.square, square) for name, square in readable.items()}
    nearest = min(distances.values())
    agreeing = [name for name, distance in distances.items() if distance <= NEAR]
    if len(agreeing) == len(distances):
        return ("the same", "") if nearest <= SAME else ("hardly differs", "")
    apart = " and ".join(name for name in distances if name not in agreeing)
    return "DIFFERS", f"from {apart}" + (f", not from {' and '.join(agreeing)}" if agreeing else "")
