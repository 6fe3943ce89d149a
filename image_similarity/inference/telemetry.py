"""One JSON line for each request: a structured log entry that also carries CloudWatch metrics.

The lines are in CloudWatch's embedded metric format (EMF), which CloudWatch Logs recognises in any log group:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
A line names the request, its outcome and its times. It never contains an image, a vector, a URL or a message
to the caller, which may quote a URL. No library writes it: importing aws-lambda-powertools would add 50 ms to
each cold start.
"""

import json
import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

from image_similarity.inference.errors import ApiError, InternalError
from image_similarity.inference.service import Request, Response, Service

NAMESPACE = "ImageSimilarity"
STACK_VARIABLE = "STACK_NAME"
"""The environment variable with the metrics' dimension `Stack`, which keeps deployments apart."""
DIMENSIONS = ["Stack", "Backend"]
STEPS = {"fetch": "Fetch", "decode": "Decode", "encode": "Encode"}
"""A metric for each step of a response's timings."""
COUNTS = ("Errors", "ColdStart", "Images", "FailedImages", "BrokenBatches")
MAX_CAUSE_LENGTH = 300
SECRETS = re.compile(r"[a-z0-9+.-]+://\S+|[A-Za-z0-9+/_=-]{40,}", re.IGNORECASE)
"""What a log line must not contain: URLs, whose queries carry signatures, and long runs of base64."""

Write = Callable[[str], None]
_lock = threading.Lock()


def write_line(line: str) -> None:
    """Write one line to standard output; lines of several threads don't mix."""
    with _lock:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


class ObservedService:
    """A service that writes one line for each response; the first says what the start took. Thread-safe."""

    def __init__(
        self,
        backend: str,
        environ: Mapping[str, str],
        load: Callable[[], Service],
        write: Write = write_line,
        begun: float | None = None,
    ) -> None:
        """Load the service and time it.

        Args:
            backend: `lambda` or `sagemaker`, the metrics' dimension `Backend`.
            environ: STACK_NAME is the metrics' dimension `Stack`.
            load: makes the service; the metric ModelLoad is the time it takes.
            write: receives each finished line.
            begun: when loading began, by time.perf_counter; none: now.
        """
        start = time.perf_counter() if begun is None else begun
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
        """Answer a request that the adapter refuses without handling it, and write its line."""
        return self._noted(self._service.refuse(error, request_id), time.perf_counter(), 0)

    def _noted(self, response: Response, start: float, body_bytes: int) -> Response:
        steps = {STEPS[name]: round(duration, 1) for name, duration in response.timings.items()}
        metrics = {"Latency": _milliseconds_since(start), **steps}
        self._write(_line(self._common, response, metrics, self._take_load_ms(), body_bytes))
        return response

    def _take_load_ms(self) -> float | None:
        """What the start took, given to the first request only: that is the cold one."""
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
    metrics = dict(times) | {"Errors": int(failed), "ColdStart": int(load_ms is not None)}
    # A batch gets a 200 whatever its images do, but a defect of ours must still be noticed.
    broken = InternalError.code in response.failures
    metrics |= {"Images": response.images, "FailedImages": sum(response.failures.values())}
    metrics["BrokenBatches"] = int(broken)
    if load_ms is not None:
        metrics["ModelLoad"] = load_ms
    directives = [_directive(DIMENSIONS, list(metrics))]
    if failed:
        directives.append(_directive([*DIMENSIONS, "Code"], ["Errors"]))
    level = "ERROR" if response.status >= 500 or broken else "INFO"
    record = {
        "level": level,
        "requestId": response.headers["X-Request-Id"],
        "status": response.status,
        "Code": response.code,
        "model": response.headers["X-Model"],
        "bodyBytes": body_bytes,
        "failures": dict(response.failures),
        **common,
        **metrics,
        "_aws": {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": directives},
    }
    return json.dumps(record, separators=(",", ":"))


def _directive(dimensions: list[str], names: list[str]) -> dict[str, Any]:
    metrics = [{"Name": name, "Unit": "Count" if name in COUNTS else "Milliseconds"} for name in names]
    return {"Namespace": NAMESPACE, "Dimensions": [dimensions], "Metrics": metrics}


def _milliseconds_since(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 1)


class JsonFormatter(logging.Formatter):
    """Writes a log record as one line of JSON, which escapes line breaks: no text can forge a second."""

    def format(self, record: logging.LogRecord) -> str:
        """The record with its exception's type, cause and frames; URLs and data are removed."""
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
