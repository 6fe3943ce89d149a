"""Alarms and a dashboard: of the API, of the service's own metrics, and of the backend that runs.

The service writes its metrics itself (image_similarity/inference/telemetry.py, embedded metric format):
namespace ImageSimilarity, dimensions Stack and Backend, and Code for errors.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from cdk_app.conditions import Conditions, pick
from cdk_app.lambda_backend import LambdaBackend
from cdk_app.parameters import Parameters
from cdk_app.rest_api import RestApi
from cdk_app.sagemaker_backend import VARIANT, SageMakerBackend

NAMESPACE = "ImageSimilarity"
PERIOD_SECONDS = 300
FAILED_SHARE = 0.05
SLOW_MILLISECONDS = 10_000
API = ["ApiName", "${Api}", "Stage", "${Stage}"]
SERVICE = ["Stack", "${AWS::StackName}", "Backend", "${Backend}"]


@dataclass(frozen=True)
class Metric:
    """What an alarm watches."""

    namespace: str
    name: str
    statistic: str
    dimensions: Mapping[str, str]


class Observability(Construct):
    """Everything under the feature's condition, or under that of the backend it watches."""

    def __init__(
        self,
        scope: Construct,
        *,
        api: RestApi,
        parameters: Parameters,
        conditions: Conditions,
        backends: Mapping[str, LambdaBackend | SageMakerBackend],
    ) -> None:
        super().__init__(scope, "Observability")
        self._conditions = conditions
        self._actions = [cdk.Token.as_string(pick(conditions.has_topic, parameters["AlarmTopicArn"]))]
        self._names = {"Api": api.name, "Stage": api.stage.ref}
        self._api_alarms()
        widgets = {}
        if isinstance(function := backends.get("Lambda"), LambdaBackend):
            self._names["Function"] = function.function.ref
            self._lambda_alarm(function.function.ref)
            widgets["Lambda"] = _lambda_widgets(function.function.ref)
        if isinstance(endpoint := backends.get("SageMaker"), SageMakerBackend):
            self._sagemaker_alarms(endpoint.endpoint_name)
            widgets["SageMaker"] = _sagemaker_widgets(endpoint.endpoint_name)
        self._dashboard(widgets)

    def _api_alarms(self) -> None:
        of, on = {"ApiName": self._names["Api"], "Stage": self._names["Stage"]}, self._conditions.is_on
        errors = Metric("AWS/ApiGateway", "5XXError", "Average", of)
        text = "More than 5 % of the requests are answered 5xx."
        self._alarm("ApiErrorsAlarm", on, errors, FAILED_SHARE, text)
        latency = Metric("AWS/ApiGateway", "Latency", "p99", of)
        text = "One request in a hundred takes over 10 seconds."
        self._alarm("ApiLatencyAlarm", on, latency, SLOW_MILLISECONDS, text)

    def _lambda_alarm(self, function: str) -> None:
        throttles = Metric("AWS/Lambda", "Throttles", "Sum", {"FunctionName": function})
        text = "Lambda turns requests away: the account's concurrency is used up."
        self._alarm("LambdaThrottlesAlarm", self._conditions["IsLambda"], throttles, 0, text)

    def _sagemaker_alarms(self, endpoint: str) -> None:
        condition = self._conditions["IsSageMaker"]
        variant = {"EndpointName": endpoint, "VariantName": VARIANT}
        failures = Metric("AWS/SageMaker", "Invocation5XXErrors", "Average", variant)
        text = "The endpoint fails more than 5 % of its requests."
        self._alarm("SageMakerHealthAlarm", condition, failures, FAILED_SHARE, text)
        of = {"Stack": cdk.Aws.STACK_NAME, "Backend": "sagemaker", "Code": "Unavailable"}
        busy = Metric(NAMESPACE, "Errors", "Sum", of)
        text = "The endpoint turns requests away: its queues are full, and scaling has not caught up."
        self._alarm("SageMakerThrottlesAlarm", condition, busy, 0, text)

    def _alarm(
        self, alarm_id: str, condition: cdk.CfnCondition, metric: Metric, threshold: float, description: str
    ) -> None:
        """An alarm over the threshold in two of three periods; silence is no alarm."""
        percentile = metric.statistic.startswith("p")
        alarm = cloudwatch.CfnAlarm(
            self,
            alarm_id,
            alarm_description=description,
            namespace=metric.namespace,
            metric_name=metric.name,
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                for name, value in metric.dimensions.items()
            ],
            statistic=None if percentile else metric.statistic,
            extended_statistic=metric.statistic if percentile else None,
            period=PERIOD_SECONDS,
            evaluation_periods=3,
            datapoints_to_alarm=2,
            threshold=threshold,
            comparison_operator="GreaterThanThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=self._actions,
            ok_actions=self._actions,
        )
        alarm.cfn_options.condition = condition

    def _dashboard(self, widgets: Mapping[str, object]) -> None:
        conditions, backends = self._conditions, list(widgets)
        own, name = widgets[backends[0]], backends[0].lower()
        values: dict[str, object] = {**self._names, "Own": own, "Backend": name}
        if len(backends) > 1:
            first = conditions[f"Is{backends[0]}"]
            values |= {
                "Own": pick(first, *widgets.values()),
                "Backend": pick(first, *(backend.lower() for backend in backends)),
            }
        values.pop("Function", None)
        body = f'{{"widgets":[{_json(_common_widgets())},${{Own}}]}}'
        text = cdk.Token.as_string({"Fn::Sub": [body, values]})
        dashboard = cloudwatch.CfnDashboard(self, "Dashboard", dashboard_body=text)
        dashboard.cfn_options.condition = conditions.is_on


def _common_widgets() -> list[dict[str, Any]]:
    """The API's figures and the service's own."""
    found = f'{{{NAMESPACE},Stack,Backend,Code}} MetricName="Errors" Stack="${{AWS::StackName}}"'
    requests = _metrics("AWS/ApiGateway", ("Count", "4XXError", "5XXError"), API)
    steps = _metrics(NAMESPACE, ("Latency", "Fetch", "Decode", "Encode"), SERVICE)
    latency = [*_metrics("AWS/ApiGateway", ("Latency",), API), ["...", {"stat": "p50"}]]
    return [
        _widget("Requests", "Sum", requests),
        _widget("Latency seen by callers, ms", "p99", latency),
        _widget("Steps of a request, ms", "p50", steps),
        _widget("Errors by code", "Sum", [[{"expression": f"SEARCH('{found}', 'Sum')"}]]),
    ]


def _lambda_widgets(function: str) -> object:
    names = ("Invocations", "Errors", "Throttles", "ConcurrentExecutions")
    calls = _metrics("AWS/Lambda", names, ("FunctionName", "${Function}"))
    starts = _metrics(NAMESPACE, ("ColdStart", "ModelLoad"), SERVICE)
    widgets = [_widget("Lambda", "Sum", calls), _widget("Cold starts, and loading in ms", "Sum", starts)]
    return _substituted(widgets, {"Function": function, "Backend": "lambda"})


def _sagemaker_widgets(endpoint: str) -> object:
    of = ("EndpointName", "${Endpoint}", "VariantName", VARIANT)
    calls = _metrics("AWS/SageMaker", ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors"), of)
    load = _metrics("/aws/sagemaker/Endpoints", ("CPUUtilization", "MemoryUtilization"), of)
    widgets = [_widget("Endpoint", "Sum", calls), _widget("Load of the instances, %", "Average", load)]
    return _substituted(widgets, {"Endpoint": endpoint})


def _metrics(namespace: str, names: Sequence[str], dimensions: Sequence[str]) -> list[list[Any]]:
    """A widget's metrics; a dot stands for what the line above says, an ellipsis for all of it.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html
    """
    first, *others = names
    return [[namespace, first, *dimensions], *([".", name, *"." * len(dimensions)] for name in others)]


def _widget(title: str, statistic: str, metrics: list[list[Any]]) -> dict[str, Any]:
    properties = {
        "title": title,
        "region": "${AWS::Region}",
        "stat": statistic,
        "metrics": metrics,
    }
    return {"type": "metric", "width": 12, "properties": properties}


def _json(widgets: list[dict[str, Any]]) -> str:
    """The widgets as JSON without the list's brackets."""
    return json.dumps(widgets, separators=(",", ":"))[1:-1]


def _substituted(widgets: list[dict[str, Any]], names: Mapping[str, str]) -> object:
    return {"Fn::Sub": [_json(widgets), dict(names)]}
