"""How near the encoder comes to what the machine's arithmetic and memory allow, by the number of images.

A batch of n needs n times the arithmetic of one image, and all weights once: it can take no less time than
either (S. Williams, A. Waterman, D. Patterson: Roofline, 2009). Both limits are measured in the same run, on
the same cores, in turns with the encoder: a product of large matrices by NumPy's BLAS, and reading 352 MB.

python -m bench.measure.roofline prints the table; `make bench` has it in its report.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np

from bench.measure import machine, typed_json
from bench.measure.limits import GFLOP, SIDE, WEIGHTS_MB
from bench.measure.paths import EXACT, ROOT
from bench.measure.results import Roofline
from image_similarity.inference.encoder import OnnxEncoder

IMAGES = (1, 2, 8, 16)
PRODUCT, STREAM = "product", "stream"
REST_SECONDS = 0.1
"""Before each step: threads of BLAS and of ONNX Runtime spin for some 30 ms in case more work comes, on the
cores that the next step needs."""


def measure(model_dir: Path, threads: int, rounds: int) -> Roofline:
    """In a process of its own, on as many cores as threads: NumPy's BLAS takes its threads when it loads."""
    cores = ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads]))
    command = ["taskset", "--cpu-list", cores, sys.executable, "-m", __spec__.name, "--child"]
    output = subprocess.run(
        [*command, "--model", str(model_dir), "--threads", str(threads), "--rounds", str(rounds)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": str(threads)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    return typed_json.read(Roofline, json.loads(output))


def bound_ms(roofline: Roofline, images: int) -> tuple[float, float]:
    """The least milliseconds that a batch can take: by the arithmetic, and by reading the weights once."""
    arithmetic = 1000 * images * GFLOP / roofline.gflops
    return arithmetic, WEIGHTS_MB / roofline.gigabytes


def share(roofline: Roofline, images: int) -> float:
    """The roofline's time as a share of the encoder's: 1 where it takes no more than the nearer limit."""
    return max(bound_ms(roofline, images)) / roofline.encode_ms[images]


def markdown(rooflines: Mapping[int, Roofline]) -> str:
    """The table, by number of threads."""
    head = ["images, threads", "encode, ms", "an image, ms", "GFLOP/s", "of the arithmetic's limit"]
    head += ["GB/s of weights", "of the memory's limit", "of the roofline"]
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    for threads, roofline in rooflines.items():
        for images, took in roofline.encode_ms.items():
            arithmetic, memory = bound_ms(roofline, images)
            rates = [f"{1000 * images * GFLOP / took:.0f}", f"{arithmetic / took:.0%}"]
            rates += [f"{WEIGHTS_MB / took:.1f}", f"{memory / took:.0%}"]
            cells = [f"{images}, {threads}", f"{took:.1f}", f"{took / images:.1f}", *rates]
            lines.append("| " + " | ".join([*cells, f"{share(roofline, images):.0%}"]) + " |")
    limits = "; ".join(
        f"{r.gflops:.0f} GFLOP/s and {r.gigabytes:.1f} GB/s on {threads} thread{'s'[: threads - 1]}"
        for threads, r in rooflines.items()
    )
    sentence = (
        f"The limits, measured in the same turns: {limits} (a product of {SIDE} x {SIDE}; reading float32)."
    )
    return "\n".join(lines) + f"\n\n{sentence}"


def _here(model_dir: Path, threads: int, rounds: int) -> Roofline:
    times = in_turns(_steps(model_dir, threads), rounds)
    return Roofline(
        gflops=2 * SIDE**3 / 1e9 / times[PRODUCT],
        gigabytes=WEIGHTS_MB / 1000 / times[STREAM],
        encode_ms={images: 1000 * times[str(images)] for images in IMAGES},
    )


def _steps(model_dir: Path, threads: int) -> dict[str, Callable[[], object]]:
    encoder = OnnxEncoder(model_dir, threads=threads)
    size, random = encoder.manifest.preprocessing.size, np.random.default_rng(0)
    batches = {n: random.integers(0, 256, (n, size, size, 3), dtype=np.uint8) for n in IMAGES}
    square = random.random((SIDE, SIDE), np.float32)
    out = np.empty_like(square)
    pieces = np.array_split(np.ones(WEIGHTS_MB * 10**6 // 4, np.float32), threads)
    readers = ThreadPoolExecutor(max_workers=threads)
    return {
        PRODUCT: lambda: np.matmul(square, square, out),
        STREAM: lambda: list(readers.map(np.max, pieces)),
        **{str(n): lambda n=n: encoder.encode(batches[n]) for n in IMAGES},  # type: ignore[misc]
    }


def in_turns(steps: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, the least of the limits; the first round is not counted."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds + 1):
        for name, step in steps.items():
            time.sleep(REST_SECONDS)
            step()  # not counted: after a rest, caches are cold
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    return {name: (min if name in (PRODUCT, STREAM) else median)(t[1:]) for name, t in times.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table; as the child, what was measured as JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.roofline", description=__doc__)
    parser.add_argument(
        "--model", type=Path, default=EXACT, help="an exported ViT-B/32; `make bench` makes one"
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        print(json.dumps(asdict(_here(options.model, options.threads, options.rounds))))
        return
    watch = machine.Watch()
    watch.pause()
    rooflines = {threads: measure(options.model, threads, options.rounds) for threads in (1, 2)}
    watch.pause()
    print(f"{machine.description()}\n\n{markdown(rooflines)}")
    for reason in machine.objections(watch.state()):
        print(f"not to be quoted: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
