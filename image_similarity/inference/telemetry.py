"""One JSON line for each request: a structured log and CloudWatch metrics at once.

The lines follow the CloudWatch embedded metric format (EMF), which CloudWatch Logs reads from any log group:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
A line names the request, the outcome and the times. It never holds an image, a vector, a URL or a message
to the caller (which may quote a URL). No library writes it: importing aws-lambda-powertools takes 50 ms of
each cold start.
"""

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from image_similarity.inference.errors import ApiError
from image_similarity.inference.service import Request, Response, Service

NAMESPACE = "ImageSimilarity"
STACK_VARIABLE = "STACK_NAME"
"""Environment variable with the value of the metrics' dimension `Stack`: deployments don't mix."""
DIMENSIONS = ["Stack", "Backend"]
STEPS = {"fetch": "Fetch", "decode": "Decode", "encode": "Encode"}
MAX_CAUSE_LENGTH = 300
SECRETS = re.compile(r"[a-z0-9+.-]+://\S+|[A-Za-z0-9+/_=-]{40,}", re.IGNORECASE)
"""What a log line must not hold: URLs (queries carry signatures) and long runs of base64."""

Write = Callable[[str], None]
_lock = threading.Lock()


def write_line(line: str) -> None:
    """Write one whole line to standard output, unmixed with those of other threads."""
    with _lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class ObservedService:
    """A service whose every answer leaves one line; the first says what the start cost. Thread-safe."""

    def __init__(
        self, backend: str, environ: Mapping[str, str], load: Callable[[], Service], write: Write = write_line
    ) -> None:
        """Load the service and time it.

        Args:
            backend: `lambda` or `sagemaker`, the metrics' dimension `Backend`.
            environ: STACK_NAME is the metrics' dimension `Stack`.
            load: makes the service; its time is the metric ModelLoad.
            write: takes a finished line.
        """
        start = time.perf_counter()
        self._service = load()
        self._load_ms: float | None = _milliseconds_since(start)
        self._common = {"Stack": environ.get(STACK_VARIABLE) or "local", "Backend": backend}
        self._write = write
        self._first = threading.Lock()

    def handle(self, request: Request) -> Response:
        """Answer the request and write its line."""
        start = time.perf_counter()
        return self._noted(self._service.handle(request), start, len(request.body))

    def refuse(self, error: ApiError, request_id: str | None) -> Response:
        """Answer a request that the adapter turns away unhandled, and write its line."""
        return self._noted(self._service.refuse(error, request_id), time.perf_counter(), 0)

    def _noted(self, response: Response, start: float, body_bytes: int) -> Response:
        metrics = {"Latency": _milliseconds_since(start), **dict(_step_times(response))}
        self._write(_line(self._common, response, metrics, self._take_load_ms(), body_bytes))
        return response

    def _take_load_ms(self) -> float | None:
        """The load's milliseconds, for one caller only: the first request is the cold one."""
        with self._first:
            load_ms, self._load_ms = self._load_ms, None
        return load_ms


def _line(
    common: Mapping[str, str],
    response: Response,
    times: Mapping[str, float],
    load_ms: float | None,
    body_bytes: int,
) -> str:
    failed = response.status >= 400
    code = json.loads(response.body)["code"] if failed else "OK"
    metrics = dict(times) | {"Errors": int(failed), "ColdStart": int(load_ms is not None)}
    if load_ms is not None:
        metrics["ModelLoad"] = load_ms
    directives = [_directive(DIMENSIONS, list(metrics))]
    if failed:
        directives.append(_directive([*DIMENSIONS, "Code"], ["Errors"]))
    level = "ERROR" if response.status >= 500 else "INFO"
    record = {
        "level": level,
        "requestId": response.headers["X-Request-Id"],
        "status": response.status,
        "Code": code,
        "model": response.headers["X-Model"],
        "bodyBytes": body_bytes,
        **common,
        **metrics,
        "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": directives},
    }
    return json.dumps(record, separators=(",", ":"))


def _directive(dimensions: list[str], names: list[str]) -> dict[str, Any]:
    counts = ("Errors", "ColdStart")
    metrics = [{"Name": name, "Unit": "Count" if name in counts else "Milliseconds"} for name in names]
    return {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics}


def _step_times(response: Response) -> Iterator[tuple[str, float]]:
    """The steps' milliseconds out of the Server-Timing header: `fetch;dur=1.2, decode;dur=3.4`."""
    for entry in filter(None, response.headers.get("Server-Timing", "").split(", ")):
        name, _, duration = entry.partition(";dur=")
        yield STEPS[name], float(duration)


def _milliseconds_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 1)


class JsonFormatter(logging.Formatter):
    """Log records as one JSON line each; JSON escapes line breaks, so no text can forge a second record."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its exception's type, cause and frames, cleared of URLs and of data."""
        fields: dict[str, Any] = {
            "level": record.levelname,
            "timestamp": int(record.created * 1000),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[1]:
            fields["exception"] = _described(record.exc_info[1])
        return json.dumps(fields, separators=(",", ":"))


def _described(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "type": type(error).__name__,
        "cause": SECRETS.sub("<removed>", str(error)[: 4 * MAX_CAUSE_LENGTH])[:MAX_CAUSE_LENGTH],
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
