"""What its owner sees of the stack: log lines, metrics, alarms, the dashboard, cold starts."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from verify.answers import Differs, Skipped, expect
from verify.checks.contract import BOTH
from verify.facts import Metric
from verify.rows import Row
from verify.subject import Subject

LOG_SECONDS = 120
METRIC_SECONDS = 420  # a new metric is told after some minutes
INIT_LIMIT_MS = 10_000
NAMESPACE = "ImageSimilarity"


def log_group(subject: Subject) -> str:
    """Name of the log group that the running backend writes to."""
    if subject.on_sagemaker:
        return subject.named("SageMakerLogGroup")
    return subject.services.function(subject.named("LambdaFunction")).log_group


def log_line(subject: Subject) -> str:
    """A call leaves one line, found by the id that its caller got, and nothing of what was sent."""
    secret = subject.pictures.first[200:260]
    answer = expect(subject.post({"img": subject.pictures.first}), 200)
    request_id, group = answer.headers.get("x-request-id", ""), log_group(subject)

    def look() -> list[str]:
        lines = subject.services.log_lines(group, subject.began)
        if not [line for line in lines if _of(line, request_id)]:
            raise Differs(f"{len(lines)} lines in {group}, none with the requestId of the call")
        return lines

    lines = subject.until(LOG_SECONDS, look)
    if any(secret in line for line in lines):
        raise Differs("a line that holds the picture")
    return f"one line with requestId {request_id}, none with the picture"


def _of(line: str, request_id: str) -> bool:
    """Whether a line is the service's own record of that request."""
    return bool(request_id) and request_id in line and '"bodyBytes"' in line


def own_metrics(subject: Subject) -> str:
    """CloudWatch makes metrics of the log lines."""
    backend = "sagemaker" if subject.on_sagemaker else "lambda"
    dimensions = (("Backend", backend), ("Stack", _stack_name(subject)))
    wanted = [Metric(NAMESPACE, name, dimensions) for name in ("Latency", "Errors", "Encode")]
    expect(subject.post({"img": subject.pictures.first}), 200)
    return _with_data(subject, wanted)


def watched(subject: Subject) -> str:
    """The alarms are there, can be evaluated, and those on traffic watch metrics that exist."""
    names = [item.name for item in subject.stack.of_type("AWS::CloudWatch::Alarm")]
    expected = {"ApiErrorsAlarm", "ApiLatencyAlarm", "ApiRequestsAlarm"}
    own = ("SageMakerHealthAlarm", "SageMakerThrottlesAlarm")
    expected |= set(own if subject.on_sagemaker else ("LambdaThrottlesAlarm", "LambdaSpendAlarm"))
    missing = sorted(expected - subject.stack.resources.keys())
    if missing:
        raise Differs(f"no {', '.join(missing)}")
    expect(subject.post({"img": subject.pictures.first}), 200)
    wanted = {metric for alarm in subject.services.alarms(names).values() for metric in alarm.metrics}
    seen = _with_data(subject, _everyday(subject, wanted))
    states = {name: alarm.state for name, alarm in subject.services.alarms(names).items()}
    if len(states) != len(names):
        raise Differs(f"only {', '.join(sorted(states))}")
    firing = sorted(name for name, state in states.items() if state == "ALARM")
    return f"{len(names)} alarms, in alarm: {', '.join(firing) or 'none'}; {seen}"


TRAFFIC = {"Count", "Latency", "Invocations", "Duration"}
"""Metrics that every call adds to; the others have values only where something is wrong."""


def _everyday(subject: Subject, metrics: Iterable[Metric]) -> list[Metric]:
    """Those of traffic; a catalogue's need calls of its own."""
    catalogue = {item.name for name, item in subject.stack.resources.items() if name.startswith("Catalogue")}
    catalogue.add("catalogue")  # as `Backend`
    return sorted(
        metric
        for metric in metrics
        if metric.name in TRAFFIC and catalogue.isdisjoint(value for _, value in metric.dimensions)
    )


def dashboard(subject: Subject) -> str:
    """The dashboard's graphs of traffic show something; those of a catalogue need calls of its own."""
    body = subject.services.dashboard(subject.one("AWS::CloudWatch::Dashboard"))
    graphs = [metric for widget in body["widgets"] for metric in _graphed(widget["properties"]["metrics"])]
    wanted = _everyday(subject, set(graphs))
    if not wanted:
        raise Differs("no graph of traffic")
    expect(subject.post({"img": subject.pictures.first}), 200)
    return f"{len(body['widgets'])} graphs; {_with_data(subject, wanted)}"


def _graphed(lines: list[list[Any]]) -> Iterator[Metric]:
    """The metrics of a widget; a dot stands for what the line above says there, an ellipsis for all of it."""
    before: list[str] = []
    for line in lines:
        texts = [item for item in line if isinstance(item, str)]
        if not texts:
            continue  # an expression
        if texts[0] == "...":
            texts = before
        before = [before[place] if text == "." else text for place, text in enumerate(texts)]
        namespace, name, *rest = before
        yield Metric(namespace, name, tuple(sorted(zip(rest[::2], rest[1::2], strict=True))))


def _with_data(subject: Subject, wanted: list[Metric]) -> str:
    def look() -> str:
        silent = [
            str(metric) for metric in wanted if not subject.services.samples(metric, subject.began - 60)
        ]
        if silent:
            raise Differs(f"no value of {', '.join(silent)}")
        return f"values of {', '.join(str(metric) for metric in wanted)}"

    return subject.until(METRIC_SECONDS, look, 20.0)


def _stack_name(subject: Subject) -> str:
    return subject.stack.id.split("/")[1]


def cold_start(subject: Subject) -> str:
    """A function that was changed starts anew for the next call: what its platform reports."""
    expect(subject.post({"img": subject.pictures.first}), 200)
    group = log_group(subject)

    def look() -> float:
        reports = [
            json.loads(line)
            for line in subject.services.log_lines(group, subject.kept["time"])
            if _REPORT in line
        ]
        starts = [
            float(milliseconds)
            for report in reports
            if (milliseconds := report["record"]["metrics"].get("initDurationMs")) is not None
        ]
        if not starts:
            raise Differs(f"{len(reports)} platform.report in {group}, none with initDurationMs")
        return max(starts)

    slowest = subject.until(LOG_SECONDS, look)
    if slowest >= INIT_LIMIT_MS:
        raise Differs(f"{slowest:.0f} ms")
    return f"{slowest:.0f} ms"


_REPORT = '"platform.report"'


def gpu(subject: Subject) -> str:
    """The container's first lines tell which provider it runs on."""
    endpoint = subject.services.endpoint(subject.one("AWS::SageMaker::Endpoint"))
    if not endpoint.instance_type.startswith(("ml.g", "ml.p")):
        raise Skipped(f"{endpoint.instance_type} has no GPU; deploy with -c accelerator=gpu")
    lines = subject.services.log_lines(log_group(subject), 0)
    told = [line for line in lines if "CUDAExecutionProvider" in line]
    if not told:
        raise Differs(f"{len(lines)} lines, none names CUDAExecutionProvider")
    return "CUDAExecutionProvider"


def new_memory(subject: Subject) -> dict[str, str]:
    """Another memory size under what new accounts may use."""
    return {"LambdaMemorySize": "2048" if subject.parameters["LambdaMemorySize"] != "2048" else "3008"}


ROWS = (
    Row(
        "log-line",
        "the log line of a call",
        "one with the caller's `X-Request-Id`; no picture in any",
        log_line,
        BOTH,
        quick=True,
        why="SageMaker's log agent writes without `logs:CreateLogGroup`: not documented",
    ),
    Row(
        "metrics",
        "metrics from the log lines",
        "values of `Latency`, `Errors`, `Encode` of this stack",
        own_metrics,
        BOTH,
        why="CloudWatch extracts them from the lines after some minutes",
    ),
    Row(
        "alarms",
        "the alarms",
        "all of the backend's, with data for what they watch",
        watched,
        BOTH,
    ),
    Row("dashboard", "the dashboard", "data from the traffic in its graphs", dashboard, BOTH),
    Row(
        "gpu",
        "an endpoint on GPU instances",
        "the CUDA provider in the container's first lines",
        gpu,
        ("sagemaker",),
        why="needs SageMaker's GPU host: its driver, and the provider that it can load",
    ),
)
