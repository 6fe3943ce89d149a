"""HTTP clients in a process of their own: `load` starts it and reads its answer.

python -m bench.measure.clients post PORT PATH BODY_FILE CLIENTS SECONDS: a closed loop, each client sends
its next request when it has the answer to the last. Prints a `load.Load`.

python -m bench.measure.clients ping PORT: GET /ping ten times a second until standard input ends. Prints
the milliseconds.
"""

import http.client
import json
import select
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

HOST = "127.0.0.1"
SECONDS_TO_ANSWER = 120
"""A /ping of the hand-written server waits behind 64 clients for half a minute: a figure, not a failure."""


def post(port: int, path: str, body: bytes, clients: int, seconds: float) -> dict[str, object]:
    """What `clients` saw in `seconds`; answers that come after the end count, with the time until then."""
    times: list[float] = []
    refusals: list[float] = []
    begin, cpu_begin = time.perf_counter(), time.process_time()

    def client() -> None:
        connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_TO_ANSWER)
        try:
            while (start := time.perf_counter()) < begin + seconds:
                connection.request("POST", path, body, {"Content-Type": "application/json"})
                response = connection.getresponse()
                answer = response.read()
                if response.status not in (200, 503):
                    raise RuntimeError(f"{response.status} {answer[:200]!r}")
                milliseconds = 1000 * (time.perf_counter() - start)
                (times if response.status == 200 else refusals).append(milliseconds)
        finally:
            connection.close()

    _together([client] * clients)
    return {
        "times": times,
        "refused": len(refusals),
        "seconds": time.perf_counter() - begin,
        "cpu_seconds": time.process_time() - cpu_begin,
    }


def ping(port: int) -> list[float]:
    """Milliseconds of each /ping, on a connection of its own, until standard input ends; one at least."""
    times: list[float] = []
    while not times or not select.select([sys.stdin], [], [], 0.1)[0]:
        start = time.perf_counter()
        connection = http.client.HTTPConnection(HOST, port, timeout=SECONDS_TO_ANSWER)
        try:
            connection.request("GET", "/ping")
            connection.getresponse().read()
        finally:
            connection.close()
        times.append(1000 * (time.perf_counter() - start))
    return times


def _together(tasks: list[Callable[[], None]]) -> None:
    """Run each in a thread; the first error is raised when all have ended."""
    failures: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def main(kind: str, port: str, *rest: str) -> None:
    """Run one of the two; the result is JSON on standard output."""
    if kind == "ping":
        print(json.dumps(ping(int(port))))
    else:
        path, body_file, clients, seconds = rest
        print(json.dumps(post(int(port), path, Path(body_file).read_bytes(), int(clients), float(seconds))))


if __name__ == "__main__":
    main(*sys.argv[1:])
