"""Batches, and what the protection costs: python -m bench.measure.aims [--rounds N].

Of the models that were exported, and of the one that comes along.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from bench.measure.batches import IMAGES, fitting
from bench.measure.catalogue.results import Watching
from bench.measure.inputs import cases
from bench.measure.paths import EMBEDDED, EXACT, INT8, ROOT
from bench.measure.recorded import Aims, save
from image_similarity.inference.decoders import processes
from image_similarity.inference.encoder import OnnxEncoder
from image_similarity.inference.service import Request, Service
from image_similarity.inference.sources import SourcePolicy

ROUNDS = 15
MODELS = {"exact": EXACT, "int8": INT8, "embedded": EMBEDDED}
Step = Callable[[], object]


def measure(rounds: int) -> Aims:
    """Everything that is there to be measured."""
    watching = Watching()
    batch, protection = {}, {}
    for name, folder in MODELS.items():
        if (folder / "manifest.json").exists():
            batch[name], protection[name] = _apart(folder, rounds)
    return Aims(batch, protection, watching.circumstances())


def _apart(model: Path, rounds: int) -> tuple[float, float]:
    """In a process of its own on one core: decoders are forked before anything starts a thread."""
    core = str(min(os.sched_getaffinity(0)))
    command = [
        "taskset",
        "--cpu-list",
        core,
        sys.executable,
        "-m",
        "bench.measure.aims",
        "--model",
        str(model),
    ]
    done = subprocess.run(
        [*command, "--rounds", str(rounds)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    batch, protection = json.loads(done.stdout)
    return batch, protection


def _here(model: Path, rounds: int) -> tuple[float, float]:
    decoder = processes.start()
    encoder = OnnxEncoder(model, threads=1)
    apart = Service(encoder, SourcePolicy(), decoder=decoder)
    inside = Service(encoder, SourcePolicy())
    picture = json.loads(fitting(IMAGES).body())["img"]
    one = Request({}, json.dumps({"img": picture}).encode())
    many = Request({}, json.dumps({"images": [{"img": picture}] * IMAGES}).encode())
    main = Request({}, cases()[0].body().encode())
    singly = ratio(lambda: _answer(apart, [one] * IMAGES), lambda: _answer(apart, [many]), rounds)
    protected = ratio(lambda: _answer(apart, [main]), lambda: _answer(inside, [main]), 3 * rounds)
    return round(singly, 3), round(protected - 1, 4)


def ratio(first: Step, second: Step, rounds: int, clock: Callable[[], float] = time.perf_counter) -> float:
    """How many times as long the first takes: the median over rounds, in turns; one round is not counted."""
    ratios = []
    for _ in range(rounds + 1):
        start = clock()
        first()
        middle = clock()
        second()
        ratios.append((middle - start) / (clock() - middle))
    return median(ratios[1:])


def _answer(service: Service, several: Sequence[Request]) -> None:
    for request in several:
        answer = service.handle(request)
        if answer.status != 200 or answer.failures:
            raise RuntimeError(answer.body[:200])


def main() -> None:
    """Measure and record; with `--model`, be the process that is measured."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.aims", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--model", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.model:
        print(json.dumps(_here(options.model, options.rounds)))
    else:
        save(measure(options.rounds))


if __name__ == "__main__":
    main()
