"""The embedded index with a million vectors: python -m bench.measure.catalogue.scale [--vectors N].

It is built, searched in turns with NumPy's product over the same vectors in memory, compared with the exact
answer, and killed while it is written to.
"""

import argparse
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from bench.measure import machine
from bench.measure.catalogue.results import Crash, Scale, Searches, Watching, save
from bench.measure.paths import CACHE, ROOT
from image_similarity.catalogue.embedded import EmbeddedIndex
from image_similarity.catalogue.index import Entry, Record
from image_similarity.inference.manifest import DIMENSIONS

VECTORS, PART, NAME = 1_000_000, 1000, "scale"
SEARCHES, TOP = 100, 10
CRASHES = (0.4, 0.7, 1.1, 1.7, 2.3)
"""Seconds of writing after which a process is killed."""
Matrix = NDArray[np.float32]
T = TypeVar("T")


def vectors(count: int) -> Iterator[Matrix]:
    """Unit vectors around 2,000 centres, in parts: as pictures of so many kinds would lie."""
    centres = np.random.default_rng(0).normal(size=(2000, DIMENSIONS)).astype(np.float32)
    for part in range(count // PART):
        chance = np.random.default_rng(part + 1)
        near = centres[chance.integers(0, len(centres), PART)]
        rows = near + chance.normal(size=(PART, DIMENSIONS)).astype(np.float32)
        yield rows / np.linalg.norm(rows, axis=1, keepdims=True)


def key(number: int) -> str:
    """As long as keys are."""
    return f"s3://photographs-of-the-shop/2026/11/picture-{number:09}.jpg"


def records(rows: Matrix, first: int) -> list[Record]:
    """One part, to be put."""
    return [
        Record(Entry(key(first + place), f'"{first + place:032x}"', 954_000, "2026-11-26T00:00:00Z"), row)
        for place, row in enumerate(rows)
    ]


def measure(count: int, folder: Path) -> Scale:
    """Everything, in a folder that has room for 2.5 kB for each vector."""
    watching, file = Watching(), folder / "index.sqlite"
    start = time.perf_counter()
    with EmbeddedIndex(file, NAME) as index:
        for part, rows in enumerate(vectors(count)):
            index.put(records(rows, part * PART))
    build, size = time.perf_counter() - start, sum(path.stat().st_size for path in folder.iterdir())
    matrix = np.concatenate(list(vectors(count)))
    with EmbeddedIndex(file, NAME) as index:
        start = time.perf_counter()
        index.query(matrix[0], TOP)
        first = time.perf_counter() - start
        searches, recall = _search(index, matrix)
    crashes = [_crash(file, seconds) for seconds in CRASHES]
    return Scale(
        vectors=count,
        build_seconds=round(build, 1),
        file_gb=round(size / 1e9, 3),
        first_search_seconds=round(first, 2),
        searches=searches,
        recall_at_10=recall,
        peak_gb=_peak(file),
        crashes=crashes,
        circumstances=watching.circumstances(),
    )


def _search(index: EmbeddedIndex, matrix: Matrix) -> tuple[list[Searches], float]:
    """In turns; and the share of the exact first ten that the index gives."""
    chance = np.random.default_rng(0)
    times: dict[str, list[float]] = {"embedded index": [], "NumPy's product": []}
    hits = 0
    for _ in range(SEARCHES):
        query = matrix[chance.integers(len(matrix))] + chance.normal(scale=0.02, size=DIMENSIONS).astype("f4")
        matches = _timed(times["embedded index"], partial(index.query, query, TOP))
        cosines = _timed(times["NumPy's product"], partial(np.matmul, matrix, query))
        exact = np.argpartition(cosines, -TOP * 2)[-TOP * 2 :]
        scores = matrix[exact].astype(np.float64) @ query.astype(np.float64)
        best = {key(int(row)) for row in exact[np.argsort(-scores)[:TOP]]}
        hits += len(best & {match.entry.key for match in matches})
    rows = []
    for kind, taken in times.items():
        p50, p99 = np.percentile(taken, [50, 99])
        rows.append(Searches(kind, round(float(p50), 1), round(float(p99), 1), SEARCHES))
    return rows, hits / (SEARCHES * TOP)


def _timed(times: list[float], call: Callable[[], T]) -> T:
    start = time.perf_counter()
    result = call()
    times.append(1000 * (time.perf_counter() - start))
    return result


def _crash(file: Path, seconds: float) -> Crash:
    """Kill a process that puts batches, and see what is there."""
    with EmbeddedIndex(file, NAME) as index:
        before = len(index)
    with subprocess.Popen(_child("write", file, before), stdout=subprocess.PIPE, cwd=ROOT) as process:
        if process.stdout is None or not process.stdout.readline():
            raise RuntimeError("the writing process did not begin")
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
    start = time.perf_counter()
    with EmbeddedIndex(file, NAME) as index:
        opened = time.perf_counter() - start
        more = len(index) - before
        last = index.vector(key(before + more - 1)) is not None
        return Crash(seconds, more % PART == 0 and last, index.intact(), round(opened, 3))


def _peak(file: Path) -> float:
    """Of a process that opens the file and searches once."""
    done = subprocess.run(_child("search", file, 0), capture_output=True, text=True, check=True, cwd=ROOT)
    return round(int(done.stdout) / 1024**3, 2)


def _child(what: str, file: Path, number: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "bench.measure.catalogue.scale",
        f"--{what}",
        str(file),
        "--from",
        str(number),
    ]


def _write(file: Path, first: int) -> None:
    """Put part after part until somebody ends this process."""
    with EmbeddedIndex(file, NAME) as index:
        print("begun", flush=True)
        for part, rows in enumerate(vectors(VECTORS)):
            index.put(records(rows, first + part * PART))


def _search_once(file: Path) -> None:
    with EmbeddedIndex(file, NAME) as index:
        index.query(next(vectors(PART))[0], TOP)
    print(machine.peak_bytes())


def main() -> None:
    """Measure and record; with `--write` or `--search`, be one of the processes that are measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.catalogue.scale", description=__doc__)
    parser.add_argument("--vectors", type=int, default=VECTORS)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--search", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--from", type=int, default=0, dest="first", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.write:
        _write(arguments.write, arguments.first)
    elif arguments.search:
        _search_once(arguments.search)
    else:
        CACHE.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=CACHE) as folder:
            save(measure(arguments.vectors, Path(folder)))


if __name__ == "__main__":
    main()
