"""Load at capacity with faults: python -m tests.soak.run --time SECONDS [--backend lambda|sagemaker].

Each backend gets its share of the time, half of it steady (memory's slope is read there) and half with
workers killed. Every request must get its own right answer: status 1 when one gets a wrong one, or none, and
when a client breaks or nothing is asked at all.
"""

import argparse
import json
import logging
import random
import sys
import threading
import time
from pathlib import Path

import httpx

from tests.soak.items import Item, Traffic
from tests.soak.record import Phase, Record, verdict
from tests.soak.traffic import running_traffic
from tests.support.backends import Backend, lambda_backend, sagemaker_backend
from tests.support.table import markdown

BACKENDS = {"lambda": lambda_backend, "sagemaker": sagemaker_backend}
CLIENTS = 6
PASSING = frozenset({429, 502, 503, 504})  # what a client tries again, as AWS's own do
TRIES = 8
PATIENCE = 120.0  # seconds after a phase for what was asked in it; who waits longer has lost its request
SHOWN_TEXTS = 10


def send(client: httpx.Client, url: str, item: Item) -> tuple[str, int, str]:
    """Send until the service answers: the outcome, how often it was sent again, and the answer."""
    headers = {} if item.content_type is None else {"content-type": item.content_type}
    last = ""
    for passing in range(TRIES):
        try:
            answer = client.post(url, content=item.body, headers=headers)
        except httpx.TransportError as error:
            last = repr(error)
        else:
            last = f"{answer.status_code} {answer.text[:300]}"
            if answer.status_code not in PASSING:
                right = item.right(answer.status_code, answer.text)
                return ("right" if right else "wrong"), passing, last
        time.sleep(0.2 * 2**passing * random.random())
    return "lost", TRIES, last


def ask(client: httpx.Client, url: str, item: Item, record: Record) -> None:
    """Send one item and count what comes of it."""
    start = time.monotonic()
    outcome, resent, answer = send(client, url, item)
    text = f"{item.body[:200]!r} {sorted(item.codes)}: {answer}"
    record.note(item.kind, outcome, seconds=time.monotonic() - start, resent=resent, text=text)


def run_client(url: str, traffic: Traffic, record: Record, end: float, seed: int) -> None:
    """One caller: a request after the other until the time is over, whatever happens to one of them."""
    chance = random.Random(seed)
    while time.monotonic() < end:
        try:
            with httpx.Client(trust_env=False, timeout=60) as client:
                while time.monotonic() < end:
                    ask(client, url, traffic.next(chance), record)
        except BaseException as error:  # a client that breaks is a request that is not known to be right
            record.note("client", "failed", text=repr(error))
            time.sleep(0.1)


def phase(
    backend: Backend,
    traffic: Traffic,
    name: str,
    seconds: float,
    *,
    kills: float | None = None,
    patience: float = PATIENCE,
) -> Phase:
    """Run all clients for a time; kill a worker every so many seconds."""
    record, start = Record(), time.monotonic()
    end, next_kill = start + seconds, start + (kills or 0)
    arguments = [(backend.url, traffic, record, end, seed) for seed in range(CLIENTS)]
    threads = [threading.Thread(target=run_client, args=each, daemon=True) for each in arguments]
    for thread in threads:
        thread.start()
    while time.monotonic() < end:
        time.sleep(min(1.0, seconds))
        record.memory.append((time.monotonic() - start, backend.memory_megabytes()))
        if kills and time.monotonic() > next_kill and backend.kill_one(random.choice):
            record.killed += 1
            next_kill = time.monotonic() + kills
    for thread in threads:
        thread.join(max(0.0, end + patience - time.monotonic()))
    for thread in threads:
        if thread.is_alive():
            record.note("client", "lost", text=f"no end {patience:g} seconds after the phase")
    record.close()
    return Phase(name, seconds, record)


def report(done: Phase) -> None:
    """Print a phase's requests by kind and outcome, and what was wrong."""
    print(f"\n{done.name}, {done.seconds:.0f} s:\n\n{markdown(done.rows_by_kind())}\n", flush=True)
    for text in done.record.texts[:SHOWN_TEXTS]:
        print("   ", text, flush=True)


def soak(chosen: list[str], share: float, kill_every: float) -> list[Phase]:
    """All phases of the backends in turn."""
    phases = []
    with running_traffic() as (traffic, environment):
        for name in chosen:
            with BACKENDS[name](environment) as backend:
                for label, kills in (("steady", None), ("kills", kill_every)):
                    phases.append(phase(backend, traffic, f"{name}, {label}", share, kills=kills))
                    report(phases[-1])
    return phases


def main() -> int:
    """All backends in turn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--time", type=float, default=120, help="seconds for all")
    parser.add_argument("--backend", choices=BACKENDS, help="this one alone")
    parser.add_argument("--kill-every", type=float, default=20, help="seconds between two kills")
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the S3 server's own log
    chosen = [options.backend] if options.backend else list(BACKENDS)
    phases = soak(chosen, options.time / len(chosen) / 2, options.kill_every)
    rows = [{**done.row(), "by kind": done.rows_by_kind(), "texts": done.record.texts} for done in phases]
    Path("test-results").mkdir(exist_ok=True)
    Path("test-results/soak.json").write_text(json.dumps(rows, indent=1) + "\n")
    status, sentence = verdict(phases)
    print(f"\n{markdown([done.row() for done in phases])}\n\n{sentence}")
    return status


if __name__ == "__main__":
    sys.exit(main())
