"""One whole run: every measurement in its order, quick or full."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.measure import cold, disk, latency, machine, memory, parts, roofline, server
from bench.measure.contenders import Contender, contenders
from bench.measure.inputs import Case, cases
from bench.measure.paths import EXACT, PYTHON, ROOT
from bench.measure.results import Latency, Run

REQUEST_PATH = ", ".join(
    f"image_similarity.inference.{name}" for name in ("request", "sources", "image", "encoder")
)
THREADS = (1, 2)


@dataclass(frozen=True)
class Effort:
    """How much of everything: rounds of each measurement, numbers of clients, seconds of each load.

    `memory_rounds` of 0 leaves Lambda's memory sizes out; `cases_on_two` is how many cases two threads get.
    """

    mode: str
    rounds: int
    step_rounds: int
    cold_rounds: int
    memory_rounds: int
    cases_on_two: int | None
    clients: tuple[int, ...]
    load_rounds: int
    load_seconds: float


QUICK = Effort("quick", 5, 7, 2, 0, 2, (1, 4, 16), 1, 3.0)
FULL = Effort("full", 15, 15, 5, 9, None, (1, 4, 16, 64, 256), 2, 6.0)


def measure(chosen: Sequence[Contender], effort: Effort, *, infinity: bool, previous: str | None) -> Run:
    """Everything that the report shows.

    Args:
        chosen: the contenders, `previous` among them where one is compared.
        effort: QUICK or FULL.
        infinity: whether infinity-emb is installed and compared.
        previous: the hash of that earlier revision.
    """
    begin, several, load = time.monotonic(), cases(), os.getloadavg()[0]
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    watch = machine.Watch()
    _begin("size, import and parts", watch)
    sizes, import_ms = disk.measure(), _import_ms()
    by_threads = {threads: parts.measure(EXACT, threads, effort.step_rounds) for threads in THREADS}
    rooflines = {threads: roofline.measure(EXACT, threads, effort.step_rounds) for threads in THREADS}
    warm = _latency(chosen, several, effort, watch)
    _begin("cold starts", watch)
    starts, starts_on_two = (cold.measure(chosen, several, effort.cold_rounds, t) for t in THREADS)
    by_memory = None
    if effort.memory_rounds:
        _begin("latency by memory size", watch)
        by_memory = memory.measure(contenders(), several[0], effort.memory_rounds)
    _begin("servers", watch)
    servers = server.measure(
        server.servers(infinity=infinity), effort.clients, effort.load_rounds, effort.load_seconds
    )
    _begin("a last look at the machine", watch)
    return Run(
        when=when,
        mode=effort.mode,
        machine=machine.description(),
        load=load,
        disk=sizes,
        import_ms=import_ms,
        parts=by_threads,
        latency=warm,
        cold=starts,
        server=servers,
        memory=by_memory,
        previous=previous and previous[:12],
        minutes=(time.monotonic() - begin) / 60,
        state=watch.state(),
        cold_on_two=starts_on_two,
        roofline=rooflines,
    )


def _latency(
    chosen: Sequence[Contender], several: list[Case], effort: Effort, watch: machine.Watch
) -> list[Latency]:
    rows = []
    for threads in THREADS:
        _begin(f"latency, {threads} thread(s)", watch)
        some = several if threads == 1 else several[: effort.cases_on_two]
        rows += latency.measure(chosen, some, threads, effort.rounds)
    return rows


def _import_ms() -> float:
    """Milliseconds to import the request path in a fresh process, the best of five."""
    code = f"import time; t = time.perf_counter(); import {REQUEST_PATH}; print(time.perf_counter() - t)"
    command = [str(PYTHON), "-c", code]
    runs = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
        for _ in range(5)
    ]
    return 1000 * min(map(float, runs))


def _begin(step: str, watch: machine.Watch) -> None:
    print(f"bench: {step}", file=sys.stderr)
    watch.pause()
