"""The line of a request: metrics that CloudWatch reads, and nothing that must not be logged."""

import json
import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from image_similarity.inference.errors import ApiError, InvalidImage, Unavailable
from image_similarity.inference.service import CORS_HEADERS, Request, Response, Service, error_response
from image_similarity.inference.telemetry import JsonFormatter, ObservedService, write_line

HEADERS = {"X-Request-Id": "id-1", "X-Model": "lite0/imagenet"}


class Answers(Service):
    """Stands in for the service: gives the answer it was made with."""

    def __init__(self, answer: Response) -> None:
        self.answer = answer

    def handle(self, _request: Request) -> Response:
        return self.answer

    def refuse(self, error: ApiError, _request_id: str | None) -> Response:
        return error_response(error, HEADERS)


def observed(answer: Response, **environ: str) -> tuple[ObservedService, list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    service = ObservedService(
        "lambda", environ, lambda: Answers(answer), lambda line: lines.append(json.loads(line))
    )
    return service, lines


GOOD = Response(
    200,
    {**HEADERS, **CORS_HEADERS},
    b'{"result":[0.123456]}',
    timings={"fetch": 1.54, "decode": 20.0, "encode": 7.16},
)
BAD = error_response(InvalidImage("url: http://example.com/a?sig=SECRET is not an image"), HEADERS)


def metric_names(line: dict[str, Any]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    return [
        (tuple(directive["Dimensions"][0]), tuple(metric["Name"] for metric in directive["Metrics"]))
        for directive in line["_aws"]["CloudWatchMetrics"]
    ]


def test_every_named_metric_and_dimension_stands_in_the_line() -> None:
    service, lines = observed(BAD, STACK_NAME="prod-stack")
    service.handle(Request({}, b"{}"))
    (line,) = lines
    assert [dimensions for dimensions, _ in metric_names(line)] == [
        ("Stack", "Backend"),
        ("Stack", "Backend", "Code"),
    ]
    for dimensions, metrics in metric_names(line):
        assert all(isinstance(line[name], str) and line[name] for name in dimensions)
        assert all(isinstance(line[name], (int, float)) for name in metrics)
    assert line["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ImageSimilarity"
    assert line["_aws"]["Timestamp"] > 1_600_000_000_000


def test_a_good_answer_gives_its_times_and_no_error() -> None:
    service, lines = observed(GOOD, STACK_NAME="s")
    service.handle(Request({}, b"12345"))
    (line,) = lines
    assert (line["Fetch"], line["Decode"], line["Encode"]) == (1.5, 20.0, 7.2)
    assert (line["Errors"], line["Code"], line["status"], line["level"]) == (0, "OK", 200, "INFO")
    assert (line["requestId"], line["model"], line["bodyBytes"]) == ("id-1", "lite0/imagenet", 5)
    assert len(line["_aws"]["CloudWatchMetrics"]) == 1


def test_only_the_first_request_is_cold_even_among_threads() -> None:
    service, lines = observed(GOOD)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: service.handle(Request({}, b"")), range(50)))
    assert sorted(line["ColdStart"] for line in lines) == [0] * 49 + [1]
    assert ["ModelLoad" in line for line in lines if line["ColdStart"]] == [True]
    assert not any("ModelLoad" in line for line in lines if not line["ColdStart"])


def test_an_error_is_counted_under_its_code_and_its_message_is_not_logged() -> None:
    service, lines = observed(BAD)
    service.handle(Request({}, b'{"url":"http://example.com/a?sig=SECRET"}'))
    assert (lines[0]["Errors"], lines[0]["Code"]) == (1, "InvalidImage")
    assert "SECRET" not in json.dumps(lines)
    assert "example.com" not in json.dumps(lines)


@pytest.mark.parametrize(("code", "broken"), [("InternalError", 1), ("InvalidImage", 0)])
def test_a_defect_of_ours_in_a_batch_is_seen_although_the_answer_is_200(code: str, broken: int) -> None:
    service, lines = observed(replace(GOOD, failures={code: 2}))
    service.handle(Request({}, b""))
    assert (lines[0]["BrokenBatches"], lines[0]["FailedImages"], lines[0]["Errors"]) == (broken, 2, 0)
    assert lines[0]["level"] == ("ERROR" if broken else "INFO")


def test_a_refusal_leaves_a_line_too() -> None:
    service, lines = observed(GOOD)
    assert service.refuse(Unavailable("full", 3), None).headers["Retry-After"] == "3"
    assert (lines[0]["Code"], lines[0]["status"], lines[0]["level"]) == ("Unavailable", 503, "ERROR")


def test_lines_of_many_threads_do_not_mix(capsys: pytest.CaptureFixture[str]) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: write_line(str(number) * 5000), range(8)))
    assert sorted({line[0] * 5000 for line in capsys.readouterr().out.splitlines()}) == [
        str(number) * 5000 for number in range(8)
    ]


def logged(message: str, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    record = logging.LogRecord(
        "image_similarity.inference.service", logging.ERROR, __file__, 1, message, (), info
    )
    return JsonFormatter().format(record)


def test_a_log_record_cannot_forge_a_second_line() -> None:
    line = logged('request a\n{"level":"INFO","status":200} failed')
    assert "\n" not in line
    assert json.loads(line)["message"].startswith("request a\n")


def test_a_logged_exception_tells_where_but_no_url_and_no_data() -> None:
    base64_run = "QUJD" * 30
    with pytest.raises(OSError) as raised:
        raise OSError(f"reading https://bucket.example.com/k?X-Amz-Signature=abc failed: {base64_run} at 7")
    exception = json.loads(logged("request id-1 failed", raised.value))["exception"]
    assert exception["type"] == "OSError"
    assert exception["cause"] == "reading <removed> failed: <removed> at 7"
    assert "test_a_logged_exception_tells_where" in exception["frames"][-1]
