"""Where a cold start of the Lambda function goes, under the processor quota that its memory buys.

python -m bench.measure.start_parts [--previous REV] prints a table: the steps of our handler in their order,
in a fresh process each time; with a revision, its steps in turns with today's. The group of the quota has the
greatest weight, so that other programs take little of its share.
"""

import argparse
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.measure import cold, machine, previous
from bench.measure.contenders import EVENTS, Contender, Limits, contenders, write_events
from bench.measure.inputs import cases
from bench.measure.memory import VISIBLE_CORES
from bench.measure.memory_sizes import MEGABYTES_OF_ONE_CPU
from bench.measure.paths import RESULTS
from bench.measure.quota import limited

MEMORY_SIZES = (1769, 3008)
Steps = dict[str, tuple[float, float]]
"""Milliseconds and, of them, processor time of the process (all its threads), by the step's name."""


def once(contender: Contender, memory_mb: int, prefix: tuple[str, ...]) -> Steps:
    """One start and its first answer."""
    limits = Limits(max(1, round(memory_mb / MEGABYTES_OF_ONE_CPU)), memory_mb, VISIBLE_CORES, prefix)
    environment = contender.environment(limits) | {"ORT_DISABLE_TELEMETRY": "1"}
    child = [
        str(contender.python),
        "-P",
        str(Path(__file__).with_name("start_child.py")),
        str(EVENTS / "0.json"),
    ]
    begin = time.monotonic()
    output = subprocess.run(
        [*prefix, *child, str(begin)],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    steps = {name: (float(wall), float(cpu)) for name, wall, cpu in json.loads(output)}
    return {
        **steps,
        "whole start": (sum(wall for wall, _ in steps.values()), sum(cpu for _, cpu in steps.values())),
    }


def measure(chosen: Sequence[Contender], memory_mb: int, rounds: int, *, evicted: bool) -> list[Steps]:
    """Medians of each contender, in turns; `evicted`: their files are not in the page cache."""
    starts: list[list[Steps]] = [[] for _ in chosen]
    with limited(memory_mb / MEGABYTES_OF_ONE_CPU) as prefix:
        for _ in range(rounds):
            for contender, taken in zip(chosen, starts, strict=True):
                if evicted:
                    cold.evict(contender)
                taken.append(once(contender, memory_mb, prefix))
    return [_medians(taken) for taken in starts]


def markdown(names: Sequence[str], columns: Sequence[list[Steps]], heads: Sequence[str]) -> str:
    """Rows by step; for each of `heads` the contenders side by side, processor time in brackets."""
    titles = [f"{head}, {name}" for head in heads for name in names]
    lines = ["| step | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(titles)]
    for step in columns[0][0]:
        cells = [
            f"{wall:.0f} ({cpu:.0f})" for column in columns for wall, cpu in (one[step] for one in column)
        ]
        lines.append(f"| {step} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _medians(taken: Sequence[Steps]) -> Steps:
    return {
        step: (median(one[step][0] for one in taken), median(one[step][1] for one in taken))
        for step in taken[0]
    }


def main() -> None:
    """Print both memory sizes, warm and evicted, and keep the table in bench/results."""
    parser = argparse.ArgumentParser(prog="python -m bench.measure.start_parts", description=__doc__)
    parser.add_argument("--previous", metavar="REV", help="a git revision, in turns with today's")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    chosen = [one for one in contenders() if one.name == "exact"]
    if options.previous:
        chosen.insert(0, previous.contender(previous.commit(options.previous)))
    write_events(cases()[:1])
    watch = machine.Watch()
    watch.pause()
    heads, columns = [], []
    for memory_mb in MEMORY_SIZES:
        for evicted in (False, True):
            heads.append(f"{memory_mb} MB{', files not in memory' if evicted else ''}")
            columns.append(measure(chosen, memory_mb, options.rounds, evicted=evicted))
    watch.pause()
    table = markdown([one.name for one in chosen], columns, heads)
    against = machine.objections(watch.state())
    quoted = "".join(f"\n\n**Not to be quoted**: {reason}." for reason in against)
    units = "milliseconds (of them processor time)"
    head = f"# Where a cold start goes\n\n{machine.description()}; {units}.{quoted}"
    (RESULTS / f"start{'-busy' if against else ''}.md").write_text(f"{head}\n\n{table}\n")
    print(f"{head}\n\n{table}")


if __name__ == "__main__":
    main()
