"""Alarms, dashboard, time-outs and scaling."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from bench.cost.prices import PRICES
from cdk_app.function_alarms import DOLLARS_PER_GB_SECOND
from image_similarity.inference import telemetry
from local.template.identifiers import PseudoParameters
from local.template.resolve import resolve
from sagemaker import load
from tests.infrastructure.synthesis import Synthesized

Template = Mapping[str, Any]


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
def test_alarms_notify_the_topic_if_there_is_one(template: Template, backend: str) -> None:
    topic = "arn:aws:sns:us-east-1:123456789012:alarms"
    with_topic = resolve(template, {"ImageSimilarity": backend, "AlarmTopicArn": topic})
    silent = resolve(template, {"ImageSimilarity": backend})
    alarms = with_topic.of_type("AWS::CloudWatch::Alarm")
    own = {
        "yes-lambda": {"LambdaThrottlesAlarm", "LambdaSpendAlarm"},
        "yes-sagemaker": {"SageMakerHealthAlarm", "SageMakerThrottlesAlarm"},
    }
    common = {"ApiErrorsAlarm", "ApiLatencyAlarm", "ApiRequestsAlarm"}
    assert {alarm.logical_id for alarm in alarms} == {*common, *own[backend]}
    assert all(alarm.properties["AlarmActions"] == [topic] for alarm in alarms)
    assert all(not alarm.properties["AlarmActions"] for alarm in silent.of_type("AWS::CloudWatch::Alarm"))


def fires(template: Template, state: Mapping[str, str], alarm: str, sums: Mapping[str, float]) -> bool:
    """Whether the alarm's expression is over its threshold, given what its metrics come to in a period."""
    stack = resolve(template, state)
    properties = stack.resources[alarm].properties
    queries = properties.get("Metrics")
    if queries is None:
        return sums.get(_key(properties), 0) > float(properties["Threshold"])
    values: dict[str, Any] = {
        "FILL": lambda value, other: other if value is None else value,
        "PERIOD": lambda value: 300,
    }
    for query in queries:
        if "MetricStat" in query:
            values[query["Id"]] = sums.get(_key(query["MetricStat"]["Metric"]))
    [result] = [query for query in queries if query["ReturnData"]]
    value = eval(result["Expression"], {"__builtins__": {}}, values)  # noqa: S307 - our own expression
    return value > float(properties["Threshold"])


def _key(metric: Mapping[str, Any]) -> str:
    """A metric's name, and what tells it from others: the catalogue or its function, the code of an error."""
    of = {item["Name"]: item["Value"] for item in metric["Dimensions"]}
    function = of.get("FunctionName", "").removeprefix("ImageSimilarity-")
    backend = [of["Backend"]] if of.get("Backend") == "catalogue" else []
    functions = [function] if function.startswith("Catalogue") else []
    codes = [of["Code"]] if "Code" in of else []
    return "/".join([metric["MetricName"], *backend, *functions, *codes])


SAGEMAKER = {"ImageSimilarity": "yes-sagemaker"}
CATALOGUE = {"Catalogue": "yes", "ImageBuckets": "photos"}


@pytest.mark.parametrize(
    ("sums", "firing"),
    [
        ({"Invocations": 100, "Invocation5XXErrors": 2}, set()),
        ({"Invocations": 100, "Invocation5XXErrors": 30}, {"SageMakerHealthAlarm"}),
        # SageMaker counts what a full container turns away among its 5xx
        (
            {"Invocations": 100, "Invocation5XXErrors": 30, "Errors/Unavailable": 30},
            {"SageMakerThrottlesAlarm"},
        ),
        (
            {"Invocations": 100, "Invocation5XXErrors": 40, "Errors/Unavailable": 10},
            {"SageMakerHealthAlarm", "SageMakerThrottlesAlarm"},
        ),
    ],
)
def test_a_full_endpoint_and_a_broken_one_fire_one_alarm_each(
    template: Template, sums: Mapping[str, float], firing: set[str]
) -> None:
    for alarm in ("SageMakerHealthAlarm", "SageMakerThrottlesAlarm"):
        counted = {"Errors": sums.get("Errors/Unavailable", 0), **sums}
        assert fires(template, SAGEMAKER, alarm, counted) == (alarm in firing)


@pytest.mark.parametrize(
    ("backend", "sums", "firing"),
    [
        # Count has preflights and the Explorer in it: 10 of 100 answers failed, of 1000 requests in all
        ("yes-lambda", {"5XXError": 10, "Latency": 90, "Count": 1000}, True),
        ("yes-lambda", {"5XXError": 2, "Latency": 98, "Count": 100}, False),
        ("yes-lambda", {"5XXError": 30, "Latency": 70, "Throttles": 30}, False),
        ("yes-lambda", {"5XXError": 0, "Latency": 100, "BrokenBatches": 30}, True),
        ("yes-lambda", {"5XXError": 0, "Latency": 100, "BrokenBatches": 2}, False),
        ("yes-sagemaker", {"5XXError": 0, "Latency": 100, "BrokenBatches": 30}, True),
        ("yes-lambda", {"5XXError": 30}, True),  # nothing reaches the function
        ("yes-sagemaker", {"5XXError": 30, "Latency": 100, "Errors/Unavailable": 30}, False),
        ("yes-sagemaker", {"5XXError": 30, "Latency": 100, "Errors/Unavailable": 10}, True),
    ],
)
def test_the_apis_errors_are_those_of_its_own_requests(
    template: Template, backend: str, sums: Mapping[str, float], *, firing: bool
) -> None:
    assert fires(template, {"ImageSimilarity": backend}, "ApiErrorsAlarm", sums) is firing


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
@pytest.mark.parametrize(("failed", "firing"), [(2, False), (30, True)])
def test_the_apis_errors_are_a_share_of_searches_too(
    template: Template, backend: str, failed: int, *, firing: bool
) -> None:
    state = {"ImageSimilarity": backend, **CATALOGUE}
    sums = {"5XXError": failed, "Latency/catalogue": 100}
    assert fires(template, state, "ApiErrorsAlarm", sums) is firing


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
@pytest.mark.parametrize(("away", "firing"), [(30, False), (10, True)])
def test_searches_that_were_turned_away_are_no_errors(
    template: Template, backend: str, away: int, *, firing: bool
) -> None:
    state = {"ImageSimilarity": backend, **CATALOGUE}
    sums = {"5XXError": 30, "Latency/catalogue": 100, "Throttles/CatalogueAnswerFunction": away}
    assert fires(template, state, "ApiErrorsAlarm", sums) is firing
    assert fires(template, state, "CatalogueThrottlesAlarm", sums)
    if backend == "yes-lambda":
        assert not fires(template, state, "LambdaThrottlesAlarm", sums)


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker", "no"])
@pytest.mark.parametrize("catalogue", ["yes", "paused", "no"])
def test_no_alarm_watches_what_is_not_there(template: Template, backend: str, catalogue: str) -> None:
    stack = resolve(template, {"ImageSimilarity": backend, **CATALOGUE, "Catalogue": catalogue})
    there = {f"ImageSimilarity-{name}" for name in stack.resources}
    for alarm in stack.of_type("AWS::CloudWatch::Alarm"):
        queries = alarm.properties.get("Metrics", [])
        ids = {query["Id"] for query in queries}
        [expression] = [query["Expression"] for query in queries if query["ReturnData"]] or [""]
        used = set(re.findall(r"[a-z][A-Za-z]*", expression)) - {""}
        assert used == ids - {"result"}, alarm.logical_id
        for query in queries:
            of = query.get("MetricStat", {}).get("Metric", {}).get("Dimensions", [])
            assert {item["Value"] for item in of if item["Name"] == "FunctionName"} <= there


@pytest.mark.parametrize(
    ("state", "a_second", "firing"),
    [
        ({}, 45, True),
        ({}, 30, False),
        ({"APIGatewayAuthorization": "NONE"}, 9, True),
        ({"APIGatewayAuthorization": "NONE"}, 7, False),
        ({"ThrottlingRateLimit": "1000"}, 45, False),
        ({"ThrottlingRateLimit": "1000"}, 900, True),
    ],
)
def test_requests_near_the_rate_limit_fire(
    template: Template, state: Mapping[str, str], a_second: int, *, firing: bool
) -> None:
    assert fires(template, state, "ApiRequestsAlarm", {"Count": a_second * 300}) is firing


@pytest.mark.parametrize(
    ("memory", "calls", "seconds", "firing"),
    [
        ("3008", 50 * 300, 0.05, False),  # the rate limit, with the usual pictures: 0.53 dollars an hour
        ("3008", 50 * 300, 10, True),  # the same where each waits ten seconds for a URL: 88 dollars an hour
        ("10240", 10 * 300, 1, True),
        ("1024", 10 * 300, 1, False),
    ],
)
def test_spending_fires_by_calls_duration_and_memory(
    template: Template, memory: str, calls: int, seconds: float, *, firing: bool
) -> None:
    sums = {"Invocations": calls, "Duration": calls * seconds * 1000}
    assert fires(template, {"LambdaMemorySize": memory}, "LambdaSpendAlarm", sums) is firing


@pytest.mark.parametrize("backend", ["yes-lambda", "yes-sagemaker"])
@pytest.mark.parametrize(
    ("name", "calls", "seconds", "firing"),
    [
        ("Answer", 10 * 300, 0.2, False),  # the rate limit of an open API
        ("Answer", 10 * 300, 10, True),  # the same where each waits ten seconds for a URL: 18 dollars an hour
        ("Index", 2, 300, False),  # the default, all of the time: 0.35 dollars an hour
        ("Index", 30, 300, True),
    ],
)
def test_what_a_catalogues_functions_cost_fires(
    template: Template, backend: str, name: str, calls: int, seconds: float, *, firing: bool
) -> None:
    function = f"Catalogue{name}Function"
    sums = {f"Invocations/{function}": calls, f"Duration/{function}": calls * seconds * 1000}
    state = {"ImageSimilarity": backend, **CATALOGUE}
    assert fires(template, state, "CatalogueSpendAlarm", sums) is firing
    if backend == "yes-lambda":
        assert not fires(template, state, "LambdaSpendAlarm", {"Invocations": 0, "Duration": 0, **sums})


def test_the_price_is_that_of_the_cost_model(synthesized: Callable[..., Synthesized]) -> None:
    prices = PRICES.regions["us-east-2"].lambda_gb_second  # the same as us-east-1's
    for architecture, dollars in DOLLARS_PER_GB_SECOND.items():
        assert dollars == pytest.approx(prices[architecture].price, rel=1e-4)
        resources = synthesized(architecture=architecture).template["Resources"]
        for alarm in ("LambdaSpendAlarm", "CatalogueSpendAlarm"):
            assert f"{dollars:.10f}" in json.dumps(resources[alarm])


@pytest.mark.parametrize("alarm", ["LambdaThrottlesAlarm", "CatalogueThrottlesAlarm"])
def test_the_throttles_alarm_knows_the_ceiling(template: Template, alarm: str) -> None:
    told = {
        value: resolve(template, {"LambdaMaxConcurrency": value, **CATALOGUE})
        .resources[alarm]
        .properties["AlarmDescription"]
        for value in ("", "5")
    }
    assert "the account's concurrency is used up" in told[""]
    assert "LambdaMaxConcurrency" in told["5"]


@pytest.mark.parametrize("backend", ["lambda", "sagemaker"])
def test_the_dashboard_shows_the_metrics_that_the_service_writes(template: Template, backend: str) -> None:
    stack = resolve(template, {"ImageSimilarity": f"yes-{backend}"})
    text = stack.one("AWS::CloudWatch::Dashboard").properties["DashboardBody"]
    widgets = json.loads(text)["widgets"]
    assert len(widgets) == 7
    assert "${" not in text
    own = [
        line
        for widget in widgets
        for line in widget["properties"]["metrics"]
        if line[0] == telemetry.NAMESPACE
    ]
    assert own
    shown = {
        item
        for widget in widgets
        for line in widget["properties"]["metrics"]
        for item in line[1:2]
        if isinstance(item, str)
    }
    assert shown >= {"Images", "FailedImages"}
    for _, name, *dimensions in own:
        assert dimensions[:4] == ["Stack", "ImageSimilarity", "Backend", backend], name
        assert dimensions[0:4:2] == list(telemetry.DIMENSIONS)


def test_the_function_answers_before_the_gateway_gives_up(resources: Mapping[str, Any]) -> None:
    function = resources["LambdaFunction"]["Properties"]
    assert function["Timeout"] == 28
    assert function["MemorySize"] == {"Ref": "LambdaMemorySize"}
    assert resources["Stage"]["Properties"]["TracingEnabled"] is True


@pytest.mark.parametrize(("region", "mode"), [("us-east-1", "Active"), ("cn-north-1", "PassThrough")])
def test_functions_are_traced_but_in_china(template: Template, region: str, mode: str) -> None:
    """https://docs.amazonaws.cn/en_us/aws/latest/userguide/lambda.html: Lambda has no X-Ray there."""
    for function in resolve(template, {}, pseudo=PseudoParameters(region=region)).of_type(
        "AWS::Lambda::Function"
    ):
        assert function.properties["TracingConfig"] == {"Mode": mode}


def test_scaling_follows_the_parameters_and_keeps_what_it_reached(template: Template) -> None:
    values = {"ImageSimilarity": "yes-sagemaker", "SageMakerMinInstances": "2", "SageMakerMaxInstances": "5"}
    stack = resolve(template, values)
    target = stack.one("AWS::ApplicationAutoScaling::ScalableTarget").properties
    assert (target["MinCapacity"], target["MaxCapacity"]) == ("2", "5")
    endpoint = stack.one("AWS::SageMaker::Endpoint")
    assert target["ResourceId"] == f"endpoint/{endpoint.properties['EndpointName']}/variant/AllTraffic"
    assert endpoint.properties["RetainAllVariantProperties"] is True
    [variant] = stack.one("AWS::SageMaker::EndpointConfig").properties["ProductionVariants"]
    assert variant["InitialInstanceCount"] == "2", "the stage points to a new endpoint before it is scaled"
    assert "SageMakerLogGroup" in endpoint.depends_on
    policy = stack.one("AWS::ApplicationAutoScaling::ScalingPolicy").properties
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    metric = tracking["CustomizedMetricSpecification"]
    written = json.loads(load.line(12.5, "the-stack"))
    [directive] = written["_aws"]["CloudWatchMetrics"]
    assert metric["Namespace"] == directive["Namespace"]
    assert {"Name": metric["MetricName"], "Unit": metric["Unit"]} in directive["Metrics"]
    assert [dimension["Name"] for dimension in metric["Dimensions"]] == directive["Dimensions"][0]
    assert {"Name": "Backend", "Value": written["Backend"]} in metric["Dimensions"]
    assert 0 < tracking["TargetValue"] < 100
    assert metric["Statistic"] == "Average"
