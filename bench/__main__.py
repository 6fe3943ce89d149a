"""python -m bench [--full] [--previous REV]: tables to bench/results; a full run also writes to docs."""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import cold, cost_page, disk, latency, memory, parts, plots, prepare, previous, report, server
from bench.contenders import Contender, contenders
from bench.inputs import cases
from bench.paths import CACHE, EXACT, FIGURES, PYTHON, RESULTS, ROOT

REQUEST_PATH = ", ".join(
    f"image_similarity.inference.{name}" for name in ("request", "sources", "image", "encoder")
)


def main() -> None:
    """Prepares, measures, writes."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--full", action="store_true", help="more rounds, 64 clients, memory sizes: about 20 minutes"
    )
    parser.add_argument("--previous", metavar="REV", help="a git revision, compared in the same runs")
    arguments = parser.parse_args()
    full, sha = arguments.full, previous.commit(arguments.previous) if arguments.previous else None
    infinity = prepare.prepare()
    chosen = contenders() + ([previous.contender(sha)] if sha else [])
    begin = time.monotonic()
    found = measure(chosen, full=full, infinity=infinity)
    found["previous"] = sha and sha[:12]
    found["minutes"] = (time.monotonic() - begin) / 60
    RESULTS.mkdir(parents=True, exist_ok=True)
    name = "full" if full else "quick"
    text = report.markdown(found)
    (RESULTS / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(text)
    print(text)
    figures = FIGURES if full else CACHE / "figures"
    names = ", ".join(plots.draw(found, figures))
    if full:
        cost_page.write()
    print(f"took {found['minutes']:.1f} minutes; plots in {figures}: {names}", file=sys.stderr)


def measure(chosen: Sequence[Contender], *, full: bool, infinity: bool) -> dict[str, Any]:
    """Every measurement, as the report wants it."""
    asked = cases()
    found: dict[str, Any] = {
        "when": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "mode": "full" if full else "quick",
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores",
        "load": os.getloadavg()[0],
    }
    _say("size, import and parts")
    found["disk"] = [asdict(row) for row in disk.measure()]
    found["import_ms"] = _import_ms()
    found["parts"] = {str(threads): parts.measure(EXACT, threads, 15 if full else 7) for threads in (1, 2)}
    found["latency"] = []
    for threads in (1, 2):
        _say(f"latency, {threads} thread(s)")
        several = asked if full or threads == 1 else asked[:2]
        results = latency.measure(chosen, several, threads, 15 if full else 5)
        found["latency"] += [asdict(row) for row in results]
    _say("cold starts")
    found["cold"] = [asdict(row) for row in cold.measure(chosen, asked, 5 if full else 2)]
    if full:
        _say("latency by memory size")
        found["memory"] = memory.measure(contenders(), asked[0], 9)
    _say("servers")
    clients, rounds, seconds = ([1, 4, 16, 64], 2, 6.0) if full else ([1, 4, 16], 1, 3.0)
    found["server"] = server.measure(server.servers(infinity=infinity), clients, rounds, seconds)
    return found


def _import_ms() -> float:
    """Milliseconds to import the request path in a fresh process, the best of five."""
    code = f"import time; t = time.perf_counter(); import {REQUEST_PATH}; print(time.perf_counter() - t)"
    command = [str(PYTHON), "-c", code]
    runs = [
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
        for _ in range(5)
    ]
    return 1000 * min(map(float, runs))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _say(step: str) -> None:
    print(f"bench: {step}", file=sys.stderr)


if __name__ == "__main__":
    main()
