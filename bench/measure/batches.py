"""Batches against single requests, and single requests beside a client that sends batches only.

`python -m bench.measure.batches`: for each chunk size, ratios within one run, alternating, so that
whatever else the machine does affects both sides alike. Requests go through the whole service with decoder
processes, as in the adapters; the gate lets as many compute at once as there are threads, as the SageMaker
adapter's does.
"""

import argparse
import json
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from bench.measure.inputs import Case, cases
from bench.measure.paths import EMBEDDED, EXACT, INT8
from image_similarity.inference import batch
from image_similarity.inference.decoders import Decoder, processes
from image_similarity.inference.json_body import MAX_BODY_BYTES
from image_similarity.inference.request import MAX_IMAGES
from image_similarity.inference.service import Request, Service, load_service
from image_similarity.inference.turns import Turns

IMAGES = 16
CHUNKS = (1, 2, 4, 8, 16, 32)


def fitting(images: int) -> Case:
    """The largest picture of which so many fit into a body."""
    most = MAX_BODY_BYTES // images // 4 * 3 - 64
    small = (case for case in cases() if not case.pair and len(case.file) <= most)
    return max(small, key=lambda case: len(case.file))


def measure(service: Service, picture: str, rounds: int) -> Mapping[int, float]:
    """How many times as fast an image is in a batch of sixteen as alone, by the chunk's size."""
    single = Request({}, json.dumps({"img": picture}).encode())
    many = Request({}, json.dumps({"images": [{"img": picture}] * IMAGES}).encode())
    ratios: dict[int, list[float]] = {chunk: [] for chunk in CHUNKS}
    for _ in range(rounds + 1):  # the first is not counted
        for chunk in CHUNKS:
            batch.CHUNK = batch.CHUNK_AMONG_OTHERS = chunk
            alone = _seconds(service, [single] * IMAGES)
            ratios[chunk].append(alone / _seconds(service, [many]))
    return {chunk: median(values[1:]) for chunk, values in ratios.items()}


def whole(service: Service, rounds: int) -> tuple[Case, float]:
    """Seconds for the most images that a body may have, as large as they may be then."""
    case = fitting(MAX_IMAGES)
    picture = json.loads(case.body())["img"]
    many = Request({}, json.dumps({"images": [{"img": picture}] * MAX_IMAGES}).encode())
    return case, median(_seconds(service, [many]) for _ in range(rounds))


def beside(service: Service, picture: str, seconds: float) -> Mapping[int, tuple[float, float, float, float]]:
    """Single requests' p50 and p99 in ms: beside nobody, and beside a client that sends batches."""
    single = Request({}, json.dumps({"img": picture}).encode())
    many = Request({}, json.dumps({"images": [{"img": picture}] * IMAGES}).encode())
    times: dict[int, tuple[float, float, float, float]] = {}
    for chunk in CHUNKS:
        batch.CHUNK = batch.CHUNK_AMONG_OTHERS = chunk
        quiet = _percentiles(service, single, seconds)
        with _sending(service, many):
            times[chunk] = (*quiet, *_percentiles(service, single, seconds))
    return times


def gated(model: Path, threads: int, decoder: Decoder) -> Service:
    """The service with a gate, as the SageMaker adapter makes it: one thread for each request."""
    turns = Turns(threads)

    @contextmanager
    def gate(seconds: float) -> Iterator[None]:
        with turns.turn(seconds):
            yield

    return load_service({"MODEL_DIR": str(model)}, threads=1, gate=gate, decoder=decoder)


def _seconds(service: Service, requests: list[Request]) -> float:
    start = time.perf_counter()
    for request in requests:
        answer = service.handle(request)
        if answer.status != 200 or answer.failures:
            raise RuntimeError(answer.body[:200])
    return time.perf_counter() - start


def _percentiles(service: Service, request: Request, seconds: float) -> tuple[float, float]:
    end, taken = time.monotonic() + seconds, list[float]()
    while time.monotonic() < end or len(taken) < 3:
        taken.append(1000 * _seconds(service, [request]))
    return median(taken), quantiles(taken, n=100, method="inclusive")[98]


@contextmanager
def _sending(service: Service, request: Request) -> Iterator[None]:
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            service.handle(request)

    client = threading.Thread(target=run)
    client.start()
    try:
        yield
    finally:
        stop.set()
        client.join()


def main() -> None:
    """Print both tables for each model that is there and for each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--model", choices=["embedded", "exact", "int8"], nargs="*", default=["embedded"])
    options = parser.parse_args()
    folders = {"embedded": EMBEDDED, "exact": EXACT, "int8": INT8}
    case = fitting(IMAGES)
    picture = json.loads(case.body())["img"]
    decoder = processes.start()
    print(f"{case.name}; {len(os.sched_getaffinity(0))} cores; load {os.getloadavg()[0]:.1f}")
    for model in options.model:
        for threads in (1, 2):
            service = load_service({"MODEL_DIR": str(folders[model])}, threads=threads, decoder=decoder)
            ratios = measure(service, picture, options.rounds)
            print(f"{model}, {threads} threads, times as fast as alone, by chunk:", _rounded(ratios))
            largest, seconds = whole(service, min(3, options.rounds))
            print(f"  {MAX_IMAGES} images ({largest.name}) in one request: {seconds:.2f} s")
            times = beside(gated(folders[model], threads, decoder), picture, options.seconds)
            for chunk, (p50, p99, busy50, busy99) in times.items():
                print(
                    f"  chunk {chunk:2}: a single request's p50 {busy50 / p50:.2f} times, "
                    f"p99 {busy99 / p99:.2f} times as long beside batches"
                )


def _rounded(values: Mapping[int, float]) -> dict[int, float]:
    return {key: round(value, 2) for key, value in values.items()}


if __name__ == "__main__":
    main()
