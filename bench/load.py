"""A closed loop of HTTP clients: each sends its next request when it has the answer to the last."""

import http.client
import json
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Load:
    """What a number of clients saw: milliseconds of each answer, and how many were refused (503)."""

    clients: int
    seconds: float
    times: list[float] = field(default_factory=list)
    refused: int = 0

    def summary(self) -> dict[str, float]:
        """Requests a second, percentiles in milliseconds, refusals."""
        p50, p90, p99 = np.percentile(self.times, [50, 90, 99]) if self.times else (np.nan,) * 3
        return {
            "clients": self.clients,
            "rps": len(self.times) / self.seconds,
            "p50": float(p50),
            "p90": float(p90),
            "p99": float(p99),
            "refused": self.refused,
        }


def run(port: int, path: str, body: bytes, clients: int, seconds: float) -> Load:
    """Posts `body` from `clients` connections to 127.0.0.1:`port` for `seconds`."""
    found = Load(clients, seconds)
    end = time.perf_counter() + seconds
    lock = threading.Lock()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            while (start := time.perf_counter()) < end:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = response.read()
                took = 1000 * (time.perf_counter() - start)
                if response.status not in (200, 503):
                    raise RuntimeError(f"port {port} answered {response.status}: {answer[:200]!r}")
                with lock:
                    if response.status == 503:
                        found.refused += 1
                    else:
                        found.times.append(took)
        finally:
            connection.close()

    begin = time.perf_counter()
    _together([client] * clients)
    found.seconds = time.perf_counter() - begin  # answers that came after the end count with their time
    return found


@contextmanager
def pinging(port: int) -> Iterator[list[float]]:
    """Ask GET /ping ten times a second while the block runs; its milliseconds are in the list afterwards.

    In a process of its own: in this one a ping would wait for the clients' turns at the interpreter.
    """
    command = [sys.executable, "-m", "bench.load", str(port)]
    times: list[float] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield times
        output, _ = process.communicate()  # the end of its input is its end
    times += json.loads(output)


def _ping_until_told(port: int) -> list[float]:
    times = []
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        start = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/ping")
        connection.getresponse().read()
        connection.close()
        times.append(1000 * (time.perf_counter() - start))
    return times


def _together(work: list[Callable[[], None]]) -> None:
    failures: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


if __name__ == "__main__":
    print(json.dumps(_ping_until_told(int(sys.argv[1]))))
