"""Load at capacity with faults: python -m tests.soak.run --time SECONDS [--backend lambda|sagemaker].

Each backend gets its share of the time, half of it steady (memory's slope is read there) and half with
workers killed. Every good request must get its own right answer: status 1 when one gets a wrong one, or none.
"""

import argparse
import json
import logging
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import numpy as np

from tests.soak.backends import Backend, lambda_backend, sagemaker_backend
from tests.soak.traffic import Item, Traffic, running_traffic

BACKENDS = {"lambda": lambda_backend, "sagemaker": sagemaker_backend}
CLIENTS = 6
PASSING = frozenset({429, 502, 503, 504})  # what a client tries again, as AWS's own do
TRIES = 8
SETTLED = 0.25  # share of a phase after which memory is judged: caches and arenas fill first
MAX_SLOPE = 60.0  # MB an hour
LONG_SECONDS = 300
KINDS, ENDS = ("good", "bad", "stalled"), ("right", "wrong", "lost")
Figures = dict[str, str | int | float]


class Record:
    """What happened in one phase."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.memory: list[tuple[float, float]] = []
        self.wrong: list[str] = []

    def note(self, item: Item, outcome: str, duration: float, passing: int) -> None:
        with self.lock:
            self.counts[f"{item.kind} {outcome}"] += 1
            self.counts["sent again"] += passing
            if item.kind == "good" and outcome == "right":
                self.seconds.append(duration)

    def slope(self) -> float:
        """MB an hour, by least squares over the settled part."""
        samples = self.memory[int(len(self.memory) * SETTLED) :]
        if len(samples) < 3:
            return 0.0
        times, values = np.array(samples).T
        return float(np.polyfit(times, values, 1)[0] * 3600)


def send(client: httpx.Client, backend: Backend, item: Item) -> tuple[str, int, str]:
    """Send until the service answers: the outcome, how often it was sent again, and the answer."""
    headers = {} if item.content_type is None else {"content-type": item.content_type}
    last = ""
    for passing in range(TRIES):
        try:
            answer = client.post(backend.url, content=item.body, headers=headers)
        except httpx.TransportError as error:
            last = repr(error)
        else:
            last = f"{answer.status_code} {answer.text[:300]}"
            if answer.status_code not in PASSING:
                right = item.right(answer.status_code, answer.json())
                return ("right" if right else "wrong"), passing, last
        time.sleep(0.2 * 2**passing * random.random())
    return "lost", TRIES, last


def client(backend: Backend, traffic: Traffic, record: Record, end: float, seed: int) -> None:
    """One caller: a request after the other until the time is over."""
    chance = random.Random(seed)
    with httpx.Client(trust_env=False, timeout=60) as connection:
        while time.monotonic() < end:
            item = traffic.next(chance)
            start = time.monotonic()
            outcome, passing, answer = send(connection, backend, item)
            record.note(item, outcome, time.monotonic() - start, passing)
            if outcome in {"wrong", "lost"}:
                record.wrong.append(
                    f"{outcome}: {item.kind} {item.body[:200]!r} {sorted(item.codes)}: {answer}"
                )


def phase(backend: Backend, traffic: Traffic, seconds: float, *, kills: float | None) -> Record:
    """Run all clients for a time; kill a worker every so many seconds."""
    record, start = Record(), time.monotonic()
    end, next_kill = start + seconds, start + (kills or 0)
    arguments = [(backend, traffic, record, end, seed) for seed in range(CLIENTS)]
    threads = [threading.Thread(target=client, args=each, daemon=True) for each in arguments]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(1)
        record.memory.append((time.monotonic() - start, backend.memory_megabytes()))
        if kills and time.monotonic() > next_kill and backend.kill_one(random.choice):
            record.counts["killed"] += 1
            next_kill = time.monotonic() + kills
    for thread in threads:
        thread.join(120)
    return record


def report(name: str, record: Record, seconds: float) -> Figures:
    """Print a phase's line; its figures."""
    counts = {f"{kind} {end}": record.counts[f"{kind} {end}"] for kind in KINDS for end in ENDS}
    p50, p99 = np.percentile(record.seconds or [0.0], [50, 99])
    figures: Figures = {
        "phase": name,
        "seconds": round(seconds),
        "requests": sum(counts.values()),
        **counts,
        "sent again": record.counts["sent again"],
        "killed": record.counts["killed"],
        "p50 ms": round(p50 * 1000),
        "p99 ms": round(p99 * 1000),
        "memory MB": round(record.memory[-1][1]) if record.memory else 0,
        "slope MB/h": round(record.slope(), 1),
    }
    print("  ".join(f"{key}: {value}" for key, value in figures.items()), flush=True)
    for line in record.wrong[:5]:
        print("   ", line, flush=True)
    return figures


def verdict(results: list[Figures], share: float) -> int:
    """0 when every request got its answer and, in a run that is long enough to tell, memory is level."""
    bad = sum(int(result[f"{kind} {end}"]) for result in results for kind in KINDS for end in ENDS[1:])
    slopes = [float(result["slope MB/h"]) for result in results if "steady" in str(result["phase"])]
    grows = share >= LONG_SECONDS and max(slopes) > MAX_SLOPE
    print(f"wrong or lost: {bad}; memory {'grows' if grows else 'is level'}")
    return 1 if bad or grows else 0


def main() -> int:
    """All backends in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=float, default=120, help="seconds for all")
    parser.add_argument("--backend", choices=BACKENDS, help="this one alone")
    parser.add_argument("--kill-every", type=float, default=20, help="seconds between two kills")
    options = parser.parse_args()
    chosen = [options.backend] if options.backend else list(BACKENDS)
    share, results = options.time / len(chosen) / 2, []
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the S3 server's own log
    with running_traffic() as (traffic, environment):
        for name in chosen:
            with BACKENDS[name](environment) as backend:
                for label, kills in (("steady", None), ("kills", options.kill_every)):
                    record = phase(backend, traffic, share, kills=kills)
                    results.append(report(f"{name}, {label}", record, share))
    Path("test-results").mkdir(exist_ok=True)
    Path("test-results/soak.json").write_text(json.dumps(results, indent=1) + "\n")
    return verdict(results, share)


if __name__ == "__main__":
    sys.exit(main())
