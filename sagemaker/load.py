"""How busy the instance is, as a metric by which the endpoint scales, whatever its requests contain.

Requests do not measure load: one may have a pair of thumbnails and another 64 photographs. Written in
CloudWatch's embedded metric format, as the requests' lines are.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from image_similarity.inference.telemetry import NAMESPACE, STACK_VARIABLE, Write, write_line

METRIC = "Load"
DIMENSIONS = {"Stack": "", "Backend": "sagemaker"}
INTERVAL_SECONDS = 15.0
"""Four values a minute: Application Auto Scaling looks at the average of each minute."""
STAT = Path("/proc/stat")
IDLE_COLUMNS = (3, 4)
"""Of the line of all processors: idle, and waiting for input and output (proc(5))."""
GUEST_COLUMN = 8
"""From here on the columns are counted among the ones before already."""


def processor_ticks(stat: str) -> tuple[int, int]:
    """Ticks of all processors since the system's start, busy ones and all, by the text of /proc/stat."""
    columns = [int(text) for text in stat.partition("\n")[0].split()[1:]][:GUEST_COLUMN]
    return sum(columns) - sum(columns[column] for column in IDLE_COLUMNS), sum(columns)


class Load:
    """Percent of the time in which the processors, or the gate, were in use since the last look.

    The larger of both counts: on an instance with a GPU the processors are idle while requests wait for it.
    """

    def __init__(self, gate_seconds: Callable[[], float], width: int, read: Callable[[], str]) -> None:
        """Look for the first time.

        Args:
            gate_seconds: the seconds that all turns at the gate have taken so far, together.
            width: how many turns there are at once.
            read: gives the text of /proc/stat.
        """
        self._gate_seconds, self._width, self._read = gate_seconds, width, read
        self._last = self._look()

    def percent(self) -> float:
        """0 to 100."""
        (busy, ticks, gate, clock), before = self._look(), self._last
        processors = (busy - before[0]) / max(1, ticks - before[1])
        turns = (gate - before[2]) / max(1e-9, (clock - before[3]) * self._width)
        self._last = busy, ticks, gate, clock
        return round(100 * min(1.0, max(0.0, processors, turns)), 1)

    def _look(self) -> tuple[int, int, float, float]:
        return *processor_ticks(self._read()), self._gate_seconds(), time.monotonic()


def line(percent: float, stack: str) -> str:
    """The metric's line of log."""
    dimensions = DIMENSIONS | {"Stack": stack}
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": [list(dimensions)],
        "Metrics": [{"Name": METRIC, "Unit": "Percent"}],
    }
    metrics = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    return json.dumps(
        {"level": "INFO", **dimensions, METRIC: percent, "_aws": metrics}, separators=(",", ":")
    )


def report(load: Load, environ: Mapping[str, str], write: Write = write_line) -> None:
    """Write the metric again and again, in a thread of its own that ends with the process."""
    stack = environ.get(STACK_VARIABLE)
    if not stack:
        return  # nothing scales by it on a laptop

    def run() -> None:
        while True:
            time.sleep(INTERVAL_SECONDS)
            write(line(load.percent(), stack))

    threading.Thread(target=run, name="load", daemon=True).start()


def system_stat() -> str:
    """The system's own processor statistics."""
    return STAT.read_text()
