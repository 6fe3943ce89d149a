"""Cold start and memory: a fresh process to its first answer, its files in the page cache or evicted."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.measure.contenders import Contender, Worker, whole_cores, write_events
from bench.measure.inputs import Case
from bench.measure.paths import CHECKPOINT
from bench.measure.results import Cold


def measure(chosen: Sequence[Contender], cases: Sequence[Case], rounds: int, threads: int = 1) -> list[Cold]:
    """In turns, on as many cores as threads. Memory is read after one call with every case."""
    warm: dict[str, list[float]] = {contender.name: [] for contender in chosen}
    evicted: dict[str, list[float]] = {contender.name: [] for contender in chosen}
    peak: dict[str, float] = {contender.name: 0.0 for contender in chosen}
    write_events(cases)
    for _ in range(rounds):
        for contender in chosen:
            took, _peak = _start(contender, 1, threads)
            warm[contender.name].append(took)
        for contender in chosen:
            evict(contender)
            took, peak_mb = _start(contender, len(cases), threads)
            evicted[contender.name].append(took)
            peak[contender.name] = max(peak[contender.name], peak_mb)
    return [Cold(c, median(warm[c]), median(evicted[c]), peak[c], rounds) for c in warm]


def _start(contender: Contender, calls: int, threads: int) -> tuple[float, float]:
    begin = time.perf_counter()
    worker = Worker(contender, whole_cores(threads))
    try:
        worker.call(0)
        took = 1000 * (time.perf_counter() - begin)
        for number in range(1, calls):
            worker.call(number)
        return took, worker.close()
    finally:
        worker.kill()


def evict(contender: Contender) -> None:
    """Drops the contender's libraries and model from the page cache (those that no other process maps)."""
    for path in _files(contender):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _files(contender: Contender) -> Iterator[Path]:
    if contender.python.parent.parent.name == ".venv-export":
        yield CHECKPOINT
        names = ["torch", "torchvision", "open_clip", "timm", "numpy", "PIL"]
    else:
        yield from Path(contender.settings["MODEL_DIR"]).iterdir()
        names = ["onnxruntime", "numpy", "PIL", "cykooz_resizer"]
    packages = next((contender.python.parent.parent / "lib").glob("python3*")) / "site-packages"
    for name in names:
        yield from (path for path in (packages / name).rglob("*") if path.is_file())
