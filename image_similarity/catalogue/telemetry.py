"""One JSON line for each call of the catalogue and each batch that it indexes, which is its metrics too.

See `inference.telemetry` for the format, and for what a line never holds: here no key of an object either.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from image_similarity.catalogue.indexing import Outcome
from image_similarity.inference.service import Response
from image_similarity.inference.telemetry import DIMENSIONS, NAMESPACE, STACK_VARIABLE, write_line

BACKEND = "catalogue"
"""The value of the metrics' dimension `Backend`."""
COUNT, MILLISECONDS = "Count", "Milliseconds"
METRICS = {
    Outcome.INDEXED: "Indexed",
    Outcome.DELETED: "Deleted",
    Outcome.UNCHANGED: "Unchanged",
    Outcome.FAILED: "Failed",
    Outcome.AGAIN: "Later",
    Outcome.LATER: "Later",
    Outcome.NOT_BEGUN: "Later",
}
"""Of what became of a picture; `Later`: it is still to be done."""
CALLS = {"search": "Searches", "sync": "Syncs", "status": "Statuses"}
Metrics = dict[str, tuple[float, str]]


class Lines:
    """Writes the lines. Thread-safe.

    Args:
        environ: STACK_NAME is the metrics' dimension `Stack`.
        write: takes a finished line.
    """

    def __init__(self, environ: Mapping[str, str], write: Callable[[str], None] = write_line) -> None:
        self._common = {"Stack": environ.get(STACK_VARIABLE) or "local", "Backend": BACKEND}
        self._write = write

    def call(self, name: str, response: Response, milliseconds: float) -> None:
        """Note a call.

        Args:
            name: one of CALLS; another one is counted under none.
            response: what the caller gets.
            milliseconds: of the whole call.
        """
        failed = response.status >= 400
        metrics: Metrics = {CALLS[name]: (1, COUNT)} if name in CALLS else {}
        metrics["Latency"] = (round(milliseconds, 1), MILLISECONDS)
        metrics |= {step.title(): (round(took, 1), MILLISECONDS) for step, took in response.timings.items()}
        metrics["Errors"] = (int(failed), COUNT)
        record = {
            "level": "ERROR" if response.status >= 500 else "INFO",
            "requestId": response.headers["X-Request-Id"],
            "call": name,
            "status": response.status,
            "Code": response.code,
            "model": response.headers["X-Model"],
        }
        self._line(record, metrics, by_code=failed)

    def batch(self, request_id: str, messages: int, counts: Mapping[str, int], milliseconds: float) -> None:
        """Note a batch of messages.

        Args:
            request_id: of the invocation.
            messages: how many it had.
            counts: by the names of METRICS, and `Unreadable` and `Foreign` messages.
            milliseconds: of the whole batch.
        """
        metrics: Metrics = {"Messages": (messages, COUNT)}
        metrics |= {name: (count, COUNT) for name, count in counts.items()}
        metrics["Duration"] = (round(milliseconds, 1), MILLISECONDS)
        self._line({"level": "INFO", "requestId": request_id, "call": "index"}, metrics, by_code=False)

    def _line(self, record: dict[str, Any], metrics: Metrics, *, by_code: bool) -> None:
        directives = [_directive(DIMENSIONS, metrics)]
        if by_code:
            directives.append(_directive([*DIMENSIONS, "Code"], {"Errors": metrics["Errors"]}))
        emf = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": directives}
        values = {name: value for name, (value, _) in metrics.items()}
        self._write(json.dumps({**record, **self._common, **values, "_aws": emf}, separators=(",", ":")))


def by_metric(counts: Mapping[Outcome, int]) -> dict[str, int]:
    """What became of pictures, by the names of METRICS."""
    totals = dict.fromkeys(METRICS.values(), 0)
    for outcome, count in counts.items():
        totals[METRICS[outcome]] += count
    return totals


def _directive(dimensions: list[str], metrics: Metrics) -> dict[str, Any]:
    named = [{"Name": name, "Unit": unit} for name, (_, unit) in metrics.items()]
    return {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": named}
