"""The systems to compare, as processes that answer the same requests."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.measure.inputs import Case
from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU
from bench.measure.paths import CACHE, CHECKPOINT, EMBEDDED, EXACT, EXPORT_PYTHON, INT8, PYTHON, ROOT

EVENTS = CACHE / "events"
WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Limits:
    """What a worker gets: threads to use, memory as its environment names it, cores it may run on.

    `prefix` is written before its command: that starts it under a quota, see bench.measure.quota.
    """

    threads: int
    memory_mb: int
    cores: int
    prefix: tuple[str, ...] = ()


def whole_cores(threads: int) -> Limits:
    """As many cores as threads: one thread stands for one CPU of Lambda, decoding included."""
    return Limits(threads, threads * MEGABYTES_OF_ONE_CPU, threads)


@dataclass(frozen=True)
class Contender:
    """How to start one: its handler file, interpreter and environment."""

    name: str
    handler: Path
    python: Path
    settings: dict[str, str] = field(default_factory=dict)

    def environment(self, limits: Limits) -> dict[str, str]:
        """A minimal environment, without this shell's settings for math libraries."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **kept,
            "PYTHONPATH": str(ROOT),
            "THREADS": str(limits.threads),
            # As Lambda sets them when a request comes and no instance is free.
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(limits.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            **self.settings,
        }


def contenders() -> list[Contender]:
    """Baseline, our default, our int8, and the embedded model."""
    ours, theirs = ROOT / "lambda" / "handler.py", ROOT / "bench" / "baseline" / "handler.py"
    return [
        Contender("hand-written", theirs, EXPORT_PYTHON, {"CHECKPOINT": str(CHECKPOINT)}),
        Contender("exact", ours, PYTHON, {"MODEL_DIR": str(EXACT)}),
        Contender("int8", ours, PYTHON, {"MODEL_DIR": str(INT8)}),
        Contender("embedded", ours, PYTHON, {"MODEL_DIR": str(EMBEDDED)}),
    ]


def write_events(cases: Sequence[Case]) -> None:
    """Put the cases where workers read them, in EVENTS, before any clock runs."""
    EVENTS.mkdir(parents=True, exist_ok=True)
    for number, case in enumerate(cases):
        (EVENTS / f"{number}.json").write_text(json.dumps(case.event()))


class Worker:
    """A started contender, which answers the cases 0.json, 1.json, ... of a folder: see `write_events`."""

    def __init__(self, contender: Contender, limits: Limits, events: Path = EVENTS) -> None:
        # -P: its folder is no place for imports (its server.py is not a module of the contender's).
        worker = ["-P", str(WORKER), str(contender.handler), str(events)]
        cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[: limits.cores]))
        self._process = subprocess.Popen(
            [*limits.prefix, "taskset", "--cpu-list", cores, str(contender.python), *worker],
            env=contender.environment(limits),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.load_ms = float(self._line()["ready"])

    def call(self, case: int) -> float:
        """Milliseconds of one call with that case."""
        if self._process.stdin is None:
            raise RuntimeError("the worker has no standard input")
        self._process.stdin.write(f"{case}\n")
        self._process.stdin.flush()
        return float(self._line()["ms"])

    def close(self) -> float:
        """Ends the worker; its peak memory in MB (2^20 bytes)."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        peak = float(self._line()["peak_mb"])
        self._process.wait(timeout=30)
        return peak

    def kill(self) -> None:
        """End the worker, whatever it is doing."""
        self._process.kill()
        self._process.wait(timeout=30)

    def _line(self) -> dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            raise RuntimeError(
                f"the worker ended with {self._process.wait(timeout=30)}; see its message above"
            )
        return dict(json.loads(line))


@contextmanager
def running(chosen: Sequence[Contender], cases: Sequence[Case], threads: int) -> Iterator[dict[str, Worker]]:
    """All of them started at once, ended at the end."""
    workers: dict[str, Worker] = {}
    write_events(cases)
    try:
        for contender in chosen:
            workers[contender.name] = Worker(contender, whole_cores(threads))
        yield workers
    finally:
        for worker in workers.values():
            worker.kill()
