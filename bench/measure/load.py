"""Load on one server of this machine, from a process that is not the one that measures, and what it saw.

The clients share the machine's cores with the server, as there are no others: so their processor time is
measured too and shown in the tables.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.measure import typed_json
from bench.measure.paths import ROOT
from bench.measure.results import Served

CLIENTS = [sys.executable, "-m", "bench.measure.clients"]


@dataclass(frozen=True)
class Load:
    """What the clients saw: milliseconds of each answer, refusals (503), seconds that it took.

    `cpu_seconds`: processor time of their process, kernel included, in the same while.
    """

    times: list[float]
    refused: int
    seconds: float
    cpu_seconds: float

    def served(self, clients: int, ping_max: float | None = None) -> Served:
        """Requests a second and percentiles; NaN where every request was refused."""
        p50, p90, p99 = np.percentile(self.times, [50, 90, 99]).tolist() if self.times else (np.nan,) * 3
        rate, load_cpu = len(self.times) / self.seconds, self.cpu_seconds / self.seconds
        return Served(clients, rate, p50, p90, p99, self.refused, ping_max, load_cpu)


def run(port: int, path: str, body: bytes, clients: int, seconds: float) -> Load:
    """Posts `body` from `clients` connections to 127.0.0.1:`port` for `seconds`.

    Raises:
        RuntimeError: an answer was neither 200 nor 503, or a connection broke; the message says which.
    """
    with tempfile.NamedTemporaryFile(prefix="bench-body-") as file:
        file.write(body)
        file.flush()
        command = [*CLIENTS, "post", str(port), path, file.name, str(clients), str(seconds)]
        process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if process.returncode:
        message = process.stderr.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        raise RuntimeError(f"the load on port {port} failed: {message[0]}")
    return typed_json.read(Load, json.loads(process.stdout))


@contextmanager
def pinging(port: int) -> Iterator[list[float]]:
    """Ask GET /ping ten times a second while the block runs; its milliseconds are in the list afterwards.

    In a process of its own: among the clients a ping would wait for their turns at the interpreter.

    Raises:
        RuntimeError: a ping got no answer.
    """
    times: list[float] = []
    command = [*CLIENTS, "ping", str(port)]
    with subprocess.Popen(
        command, cwd=Path(ROOT), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield times
        output, _ = process.communicate()  # the end of its input is its end
    if process.returncode:
        raise RuntimeError(f"the pings on port {port} failed; see their message above")
    times += json.loads(output)
