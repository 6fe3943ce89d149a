"""python -m bench.report.clients: the serving process under 1 to 256 clients that never wait.

Of each model that was exported and of the one that comes along, in turns. The clients run in a process of
their own, whose cost stands beside what they saw. Written to bench/results/clients.json.
"""

import argparse
import sys
from datetime import UTC, datetime

from bench.measure import machine, server
from bench.measure.inputs import cases
from bench.measure.recorded import Clients, save
from bench.report import tables
from bench.report.page import about_machine

COUNTS = (1, 4, 16, 64, 256)
ROUNDS, SECONDS = 2, 10.0


def measure(rounds: int, seconds: float) -> Clients:
    """Every model that is there."""
    body = cases()[0].body().encode()
    chosen = [
        server.ours(name, port, model, body)
        for name, port, model in server.OURS
        if (model / "manifest.json").exists()
    ]
    watch = machine.Watch()
    watch.pause()
    servers = server.measure(chosen, COUNTS, rounds, seconds)
    watch.pause()
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return Clients(when, machine.description(), watch.state(), seconds, rounds, servers)


def markdown(found: Clients) -> str:
    """The table, and what the machine did meanwhile."""
    about = f"{found.when}, {found.machine}; {found.rounds} rounds of {found.seconds:.0f} s, means."
    parts = ["# Clients that never wait", about, *about_machine(found.state), tables.server(found.servers)]
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Measure, record, print."""
    parser = argparse.ArgumentParser(prog="python -m bench.report.clients", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    found = measure(options.rounds, options.seconds)
    save(found)
    print(markdown(found))
    for reason in machine.objections(found.state):
        print(f"bench: not to be quoted: {reason}", file=sys.stderr)


if __name__ == "__main__":
    main()
