"""The working tree against a revision, on the rows that matter: each in its own processes, called in turns.

Both run the small model of their own tree on today's packages, so nothing has to be exported.
"""

import io
import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from PIL import Image

from bench.measure.contenders import Contender, Worker, whole_cores
from bench.measure.inputs import PHOTOGRAPH, Case, cases
from bench.measure.paired import Paired
from bench.measure.paths import PYTHON, ROOT

SEARCH = ROOT / "bench" / "measure" / "search_handler.py"
CALLS = 3
"""Of each side in a round; their median counts."""
SMALL_PNG = (160, 120)
BATCH = 16
Sample = Callable[[], float]


@dataclass(frozen=True)
class Row:
    """One figure: what is sent to which handler, on so many cores; `cold`: to a process that just starts."""

    name: str
    event: dict[str, object]
    cores: int = 1
    cold: bool = False
    search: bool = False


def rows() -> list[Row]:
    """Those that matter before a release."""
    main, pair = cases()[:2]
    small = Case("small", _small_png())
    images = {"images": [{"img": json.loads(small.body())["img"]}] * BATCH}
    batch = {**small.event(), "body": json.dumps(images)}
    return [
        Row(f"warm, {main.name}, 1 core", main.event()),
        Row(f"warm, PNG {SMALL_PNG[0]} x {SMALL_PNG[1]}, 1 core", small.event()),
        Row(f"warm, {pair.name}, 2 cores", pair.event(), cores=2),
        Row(f"warm, {BATCH} images of that PNG in one request, 1 core", batch),
        Row("cold: fresh process to first answer, 1 core", main.event(), cold=True),
        Row("search among 50,000 vectors in the embedded index, 1 core", {}, search=True),
    ]


def _small_png() -> bytes:
    file = io.BytesIO()
    with Image.open(PHOTOGRAPH) as picture:
        picture.resize(SMALL_PNG).save(file, "PNG")
    return file.getvalue()


@contextmanager
def checked_out(sha: str) -> Iterator[Path]:
    """The revision in a worktree of its own, which is removed at the end."""
    with TemporaryDirectory(prefix="bench-check-") as made:
        folder = Path(made, "revision")
        _git("worktree", "add", "--quiet", "--detach", str(folder), sha)
        try:
            yield folder
        finally:
            _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=ROOT, check=True, timeout=300)


def measure(row: Row, before: Path, after: Path, rounds: int) -> Paired:
    """One row on both trees; no timings where the revision can't do it.

    Raises:
        RuntimeError: the working tree can't.
    """
    with ExitStack() as stack:
        events = Path(stack.enter_context(TemporaryDirectory(prefix="bench-check-")))
        (events / "0.json").write_text(json.dumps(row.event))
        now = stack.enter_context(sampling(row, after, events))
        try:
            then = stack.enter_context(sampling(row, before, events))
        except RuntimeError:
            return Paired(row.name, [], [])
        return in_turns(row.name, then, now, rounds)


def in_turns(name: str, before: Sample, after: Sample, rounds: int) -> Paired:
    """Before, after; after, before; ...: who is first has it colder, or warmer."""
    times: tuple[list[float], list[float]] = ([], [])
    sides = (before, after)
    for number in range(rounds):
        for side in (0, 1) if number % 2 == 0 else (1, 0):
            times[side].append(sides[side]())
    return Paired(name, *times)


@contextmanager
def sampling(row: Row, tree: Path, events: Path) -> Iterator[Sample]:
    """Gives one timing of the row on a tree, in milliseconds; the first call is made before and not counted.

    Raises:
        RuntimeError: it does not answer.
    """
    handler = SEARCH if row.search else tree / "lambda" / "handler.py"
    contender = Contender(row.name, handler, PYTHON, {"PYTHONPATH": str(tree)})

    def started() -> float:
        begin = perf_counter()
        worker = Worker(contender, whole_cores(row.cores), events)
        try:
            worker.call(0)
            return 1000 * (perf_counter() - begin)
        finally:
            worker.kill()

    if row.cold:
        started()
        yield started
        return
    worker = Worker(contender, whole_cores(row.cores), events)
    try:
        worker.call(0)
        yield lambda: median(worker.call(0) for _ in range(CALLS))
    finally:
        worker.kill()


def measure_all(
    several: Sequence[Row], before: Path, rounds: int, begin: Callable[[str], None]
) -> list[Paired]:
    """Every row, one after the other; `begin` is told the name of each."""
    results = []
    for row in several:
        begin(row.name)
        results.append(measure(row, before, ROOT, rounds))
    return results
